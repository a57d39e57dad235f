"""Who may come in, how often, and from where."""
