"""What is said on the wire, and the limits of it: pure, of no other part of the server."""
