"""The control door and the board: clocks, faults, recorded requests, and what may be changed."""
