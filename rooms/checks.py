"""System checks of this application."""
