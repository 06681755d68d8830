"""Programs as people write them, without a thought of derivatives: they import `math` and NumPy, and nothing of ours.

Each has a function `run` of a list of numbers, and `START`, points to run it at.
"""
