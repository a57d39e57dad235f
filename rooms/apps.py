from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "rooms"

    def ready(self) -> None:
        from rooms import checks  # noqa: F401  (registers the system checks)
        from rooms.operations.metadata.validating import validator

        validator()  # which a start without it would miss at the first write only
