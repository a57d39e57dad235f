from typing import Any

from django.db import migrations, models
from django.db.models.functions import Lower


def tell_apart(apps: Any, schema_editor: Any) -> None:
    """Give a key whose name an older one has, or the pair of the environment, its public name in addition."""
    keys = apps.get_model("rooms", "AccessKey").objects
    taken = {"environment"}
    for key in keys.order_by("created_at", "pk"):
        if key.name.lower() in taken:
            key.name = f"{key.name[:60]} {key.access_key[:39]}"
            key.save(update_fields=["name"])
        taken.add(key.name.lower())


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0014_receivers_of_webhooks"),
    ]

    operations = [
        migrations.RunPython(tell_apart, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="accesskey",
            constraint=models.UniqueConstraint(
                Lower("name"),
                name="access_key_name_unique",
                violation_error_message="Another access key has this name.",
            ),
        ),
    ]
