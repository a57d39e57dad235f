from django.db import migrations, models

import rooms.models


class Migration(migrations.Migration):
    dependencies = [("rooms", "0016_lives_of_messages")]

    operations = [
        # With defaults of the database, for a process of before an upgrade may yet write such rows.
        migrations.AddField(
            "room",
            "slow_mode",
            models.PositiveIntegerField(default=0, db_default=0, validators=[rooms.models.slow_mode_length]),
        ),
        migrations.AddField("session", "locked", models.BooleanField(default=False, db_default=False)),
        migrations.AddField(
            "peer", "page_closed", models.BooleanField(default=False, db_default=False, editable=False)
        ),
        migrations.AddField("peer", "said_at", models.BigIntegerField(default=0, db_default=0, editable=False)),
    ]
