"""Frames from and to one socket."""
