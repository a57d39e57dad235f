from django.db import migrations, models


def spans_of_moments(apps, schema_editor):
    endpoints = apps.get_model("rooms", "WebhookEndpoint").objects
    for endpoint in endpoints.all():
        endpoint.gone = not endpoint.url
        endpoint.spans = [endpoint.since] if endpoint.enabled or endpoint.gone else []
        endpoint.save(update_fields=["gone", "spans"])
    own = endpoints.filter(gone=False, room__isnull=False).order_by("created_at")
    for room_id, since in dict(own.reverse().values_list("room_id", "since")).items():
        endpoints.create(room_id=room_id, url="", enabled=False, gone=True, spans=[0, since])
    # PostgreSQL alters no table whose new rows it has yet to check.
    schema_editor.connection.check_constraints(["rooms_webhookendpoint"])


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0012_audit"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint", name="gone", field=models.BooleanField(default=False, editable=False)
        ),
        migrations.AddField(
            model_name="webhookendpoint", name="spans", field=models.JSONField(default=list, editable=False)
        ),
        migrations.RunPython(spans_of_moments, migrations.RunPython.noop),
        migrations.RemoveField(model_name="webhookendpoint", name="since"),
    ]
