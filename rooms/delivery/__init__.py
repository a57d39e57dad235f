"""From the journal to the sockets of this process."""
