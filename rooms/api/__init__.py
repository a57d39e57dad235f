"""The HTTP side of the protocol, one file per resource."""
