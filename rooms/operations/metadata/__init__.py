"""Session metadata: values under keys that the session's peers share, each with a version.

The version of a key starts at 1 and grows by one with each change, a removal included, until the session ends.
"""
