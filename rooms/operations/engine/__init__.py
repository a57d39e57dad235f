"""What runs an operation: the gate, its transaction, and the journal of what came of it."""
