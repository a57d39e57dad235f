"""Start chat servers, load them, and compare what they do."""
