"""The interpreters of the table: one namespace `m` each, for floats, arrays, nodes, symbols and source."""
