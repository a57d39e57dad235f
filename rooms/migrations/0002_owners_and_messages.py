import base64
import hmac

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def own_peers(apps, schema_editor):
    """Whoever is in a running session keeps its peer: until now it belonged to the user id of its token."""
    Peer = apps.get_model("rooms", "Peer")
    for peer in Peer.objects.filter(session__ended_at=None).iterator():
        peer.owner = f"user:{peer.user_id}"
        digest = hmac.digest(settings.APP_SECRET.encode(), f"person/{peer.session_id}/{peer.owner}".encode(), "sha256")
        peer.person = base64.urlsafe_b64encode(digest).decode()[:22]
        peer.joined_role = peer.role
        peer.save(update_fields=["owner", "person", "joined_role"])


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "session_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rooms.session",
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("number", models.BigIntegerField()),
                ("message_id", models.CharField(max_length=36)),
                ("peer_id", models.CharField(max_length=128)),
                ("client_id", models.CharField(blank=True, max_length=64)),
                ("audience", models.TextField(blank=True)),
                ("body", models.TextField()),
                ("at", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="persons",
                        to="rooms.session",
                    ),
                ),
                ("owner", models.CharField(max_length=140)),
                ("person", models.CharField(max_length=22)),
                ("name", models.CharField(blank=True, max_length=400)),
                ("role", models.CharField(blank=True, max_length=100)),
                ("given_role", models.CharField(blank=True, max_length=100)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("was_let_in", models.BooleanField(default=False)),
                ("removed_by", models.CharField(blank=True, max_length=400)),
                ("removed_by_person", models.CharField(blank=True, max_length=22)),
                ("reason", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.AddField(
            model_name="peer",
            name="hand_raised_at",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="peer",
            name="joined_role",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
        migrations.AddField(
            model_name="peer",
            name="owner",
            field=models.CharField(blank=True, default="", max_length=140),
        ),
        migrations.AddField(
            model_name="peer",
            name="person",
            field=models.CharField(blank=True, default="", max_length=22),
        ),
        migrations.AddField(
            model_name="session",
            name="histories",
            field=models.JSONField(default=list, editable=False),
        ),
        migrations.AddIndex(
            model_name="peer",
            index=models.Index(fields=["session", "owner"], name="rooms_peer_session_a6fe94_idx"),
        ),
        migrations.DeleteModel(
            name="SentMessage",
        ),
        migrations.RunPython(own_peers, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("client_id__gt", "")),
                fields=("session", "peer_id", "client_id"),
                name="client_id_unique_of_peer",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(fields=("session", "owner"), name="owner_unique_in_session"),
        ),
    ]
