"""Making, changing and deleting rooms, their codes and templates: one way for pages, commands, the admin and back ends.

Each act is written down in the audit as its author's.
"""
