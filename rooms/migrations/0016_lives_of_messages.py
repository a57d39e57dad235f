import json

from django.db import migrations, models

import rooms.models


def tell_whose(apps, schema_editor):
    """Of the messages of live sessions: what they are, whose, and for whom. Any of them may have been pinned."""
    Peer = apps.get_model("rooms", "Peer")
    for message in apps.get_model("rooms", "Message").objects.iterator():
        body = json.loads(message.body)
        message.type = body["info"]["type"]
        message.person = body.get("peer", {}).get("person", "")
        receiver = json.loads(message.audience or "{}").get("peer")
        found = Peer.objects.filter(session_id=message.session_id, peer_id=receiver).first() if receiver else None
        message.receiver = found.person if found else ""
        message.pinned = True
        message.save(update_fields=["type", "person", "receiver", "pinned"])


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0015_names_of_access_keys"),
    ]

    operations = [
        migrations.AddField("message", "type", models.CharField(blank=True, db_default="chat", max_length=64)),
        migrations.AddField("message", "person", models.CharField(blank=True, db_default="", max_length=22)),
        migrations.AddField("message", "receiver", models.CharField(blank=True, db_default="", max_length=22)),
        migrations.AddField("message", "reactions", models.TextField(blank=True, db_default="")),
        migrations.AddField("message", "edit_seq", models.BigIntegerField(db_default=0)),
        migrations.AddField("message", "pinned", models.BooleanField(db_default=False)),
        migrations.AddField(
            "room",
            "history",
            models.PositiveIntegerField(db_default=100, default=100, validators=[rooms.models.history_length]),
        ),
        migrations.RunPython(tell_whose, migrations.RunPython.noop),
    ]
