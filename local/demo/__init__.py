"""Real traffic for every route of the template, and what proves that each piece arrived: `python -m demo`."""
