"""What finds a client id is operations/engine/repetitions.py: the index cost each message a page of its own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rooms", "0017_controls_of_rooms")]

    operations = [migrations.RemoveConstraint("message", "client_id_unique_of_peer")]
