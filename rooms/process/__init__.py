"""This process: its lease, its end, and the jobs that make good what went wrong."""
