"""Webhooks: where back ends are told, how that is signed and sent, again until it is taken, and what came of it."""
