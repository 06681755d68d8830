"""Recording: functions turned into programs that know loops, which printers turn into code."""
