"""Rooms in cells, simulated by seconds: what a router that places sessions does to the load of cells."""
