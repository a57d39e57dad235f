"""What operators see of the server, and jobs that nobody waits for."""
