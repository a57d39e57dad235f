"""``/v2/templates``: roles, and what else holds for all rooms of a template. Names of fields are the service's own."""

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status
from pydantic import BaseModel, ConfigDict

from rooms.api.rest import paths  # noqa: F401, makes {name:…}
from rooms.api.rest.frame import Body, answers, author
from rooms.api.rest.pages import PageOf, PageQuery, page
from rooms.api.rest.shapes import Account, Moment, account
from rooms.creation.templates import DEFAULT, change_template, load_template, replace_held
from rooms.models import RoomCode, Template
from rooms.wire.errors import BadRequest, NotFound
from rooms.wire.roles import MAX_ROLES, NAME, check_template, shows_as_written
from rooms.wire.rules import renamed_in_rules

router = Router(tags=["Templates"])

# --- What is told -------------------------------------------------------------------------------


class Open(BaseModel):
    """An object of the service's. Fields that nothing here reads are kept as they were given."""

    # Not of Schema, which passes over what it does not know.
    model_config = ConfigDict(extra="allow", strict=True)


class Role(Open):
    """A role. Fields that nothing here reads are kept as they were given."""

    name: Annotated[str, Field(description="Its name", examples=["host"])]
    priority: Annotated[int, Field(description="1 is the most important", examples=[1])]
    maxPeerCount: Annotated[int, Field(description="How many may hold it; 0 is no limit, −1 nobody", examples=[0])]
    permissions: Annotated[
        dict[str, Any], Field(description="true by name, see docs/protocol.md", examples=[{"endRoom": True}])
    ]
    publishParams: Annotated[dict[str, Any], Field(description="Of media: kept, and no more", examples=[{}])]
    subscribeParams: Annotated[dict[str, Any], Field(description="Of media: kept, and no more", examples=[{}])]


class RoomState(Open):
    """What somebody sees who has not come in yet."""

    enabled: Annotated[bool, Field(description="Whether anything at all", examples=[True])] = True
    sendPeerList: Annotated[bool, Field(description="Whether who is inside", examples=[True])] = True


class Settings(Open):
    """Of a template. Fields that nothing here reads are kept as they were given."""

    region: Annotated[str, Field(description="Kept, and no more", examples=["auto"])] = "auto"
    roomState: Annotated[RoomState, Field(description="What shows at the door")]
    recording: Annotated[None, Field(description="Always null: nothing is recorded", examples=[None])] = None
    retry: Annotated[dict[str, Any], Field(description="Always empty", examples=[{}])] = {}


class Nothing(Schema):
    """Always empty: there is no media."""


Roles = Annotated[dict[str, Role], Field(description=f"By name, 1 to {MAX_ROLES}")]
Plugins = Annotated[
    dict[str, Any],
    Field(
        description="Settings of features by name. Here counts `metadata`, whose `rules` are those of session metadata;"
        " others are kept",
        examples=[{"metadata": {"rules": [{"key": "slide", "write": ["host"]}]}}],
    ),
]
TemplateId = Annotated[str, Field(description="24 hex digits", examples=["66efa1b2c3d4e5f601234567"])]
TemplateName = Annotated[str, Field(description=f"{NAME}; unique", examples=["lesson"])]


class TemplateAnswer(Schema):
    """A template. `_id` and `customer` are there for old apps."""

    id: TemplateId
    name: TemplateName
    customerId: Account
    appId: Account
    default: Annotated[bool, Field(description="Whether rooms get it that name none", examples=[False])]
    roles: Roles
    settings: Settings
    destinations: Nothing
    plugins: Plugins
    createdAt: Moment
    updatedAt: Moment
    old_id: Annotated[TemplateId, Field(serialization_alias="_id")]
    customer: Account


# --- What can be asked for ----------------------------------------------------------------------

AnyRole = Annotated[
    dict[str, Any],
    Field(
        description="A role as it is answered, of which all may be missing",
        examples=[{"priority": 1, "permissions": {"endRoom": True}}],
    ),
]
AnySettings = Annotated[
    dict[str, Any],
    Field(
        description="As they are answered, of which all may be missing. `recording` is passed over",
        examples=[{"region": "auto", "roomState": {"enabled": True, "sendPeerList": True}}],
    ),
]


class TemplateBody(Body):
    """The whole of a template. `destinations`, and whatever else an export holds, is passed over."""

    name: TemplateName | None = None
    roles: Annotated[dict[str, AnyRole], Field(description=f"By name, 1 to {MAX_ROLES}")]
    settings: AnySettings | None = None
    plugins: Plugins | None = None


class RoleBody(Open):
    """The whole of a role, as it is answered; all of it may be missing."""

    name: Annotated[str | None, Field(description="Another name than in the address renames it", examples=["host"])] = (
        None
    )


class SettingsBody(Open):
    """The whole of the settings, as they are answered; all of them may be missing."""

    roomState: Annotated[dict[str, Any] | None, Field(description="What shows at the door", examples=[{}])] = None


# --- Templates ----------------------------------------------------------------------------------


class TemplateQuery(PageQuery):
    name: Annotated[str, Field(max_length=100, description="The whole name", examples=["lesson"])] = ""


@router.get("", **answers(PageOf[TemplateAnswer]), by_alias=True)
def list_templates(request: HttpRequest, query: Query[TemplateQuery]) -> Any:
    """Templates, newest first."""
    named = Template.objects.filter(name=query.name) if query.name else Template.objects.all()
    return page(named, query, shown)


@router.post("", **answers(TemplateAnswer), by_alias=True)
def create_template(request: HttpRequest, payload: TemplateBody) -> Any:
    """Make a template; one of this name is replaced, and whoever is in a room of it is told."""
    return shown(load_template(_name(payload.name or ""), _checked(payload), author=author(request)))


@router.get("/{template_id}", **answers(TemplateAnswer, 404), by_alias=True)
def get_template(request: HttpRequest, template_id: str) -> Any:
    """One template."""
    return shown(_find(template_id))


@router.post("/{template_id}", **answers(TemplateAnswer, 404), by_alias=True)
def update_template(request: HttpRequest, template_id: str, payload: TemplateBody) -> Any:
    """Replace all of a template. Without a name it keeps its own."""
    given = _checked(payload)

    def replace(template: Template) -> None:
        if payload.name is not None:
            template.name = _name(payload.name)
        replace_held(template, given)

    return shown(_change(request, template_id, replace))


# --- Roles --------------------------------------------------------------------------------------

ROLE = "/{template_id}/roles/{name:role}"


@router.get(ROLE, **answers(Role, 404))
def get_role(request: HttpRequest, template_id: str, role: str) -> Any:
    """One role."""
    return _shown_role(_find(template_id), role)


@router.post(ROLE, **answers(Role, 404))
def put_role(request: HttpRequest, template_id: str, role: str, payload: RoleBody) -> Any:
    """Make a role, or replace it. With another name in the body it is renamed, also in rules and codes."""
    given = payload.model_dump(exclude_unset=True)
    name = given.get("name") or role

    def put(template: Template) -> None:
        if name != role:
            if role not in template.roles:
                raise NotFound("role: no such role")
            if name in template.roles:
                raise BadRequest("name: another role has it")
            # Checked before codes get it.
            RoomCode.objects.filter(room__template=template, role=role).update(role=_name(name))
            template.metadata_rules = renamed_in_rules(template.metadata_rules, role, name)
        # In its old place, for their order is told.
        roles = {name if key == role else key: value for key, value in template.roles.items()}
        template.roles = {**roles, name: {**given, "name": name}}

    return _shown_role(_change(request, template_id, put), name)


@router.delete(ROLE, **answers(None, 404, status=204))
def delete_role(request: HttpRequest, template_id: str, role: str) -> Any:
    """Take a role away. Who holds it may do nothing any more that needs a permission; a template keeps one role."""

    def delete(template: Template) -> None:
        if role not in template.roles:
            raise NotFound("role: no such role")
        template.roles = {name: value for name, value in template.roles.items() if name != role}

    _change(request, template_id, delete)
    return Status(204, None)


# --- Settings and what there is none of ---------------------------------------------------------


@router.get("/{template_id}/settings", **answers(Settings, 404))
def get_settings(request: HttpRequest, template_id: str) -> Any:
    """The settings."""
    return _shown_settings(_find(template_id))


@router.post("/{template_id}/settings", **answers(Settings, 404))
def put_settings(request: HttpRequest, template_id: str, payload: SettingsBody) -> Any:
    """Replace the settings."""
    given = payload.model_dump(exclude_unset=True)

    def put(template: Template) -> None:
        replace_held(template, {**template.as_wire(), "settings": given})

    return _shown_settings(_change(request, template_id, put))


def _nothing(request: HttpRequest, template_id: str) -> Any:
    """There is no media: always empty."""
    _find(template_id)
    return {}


for _part in ("destinations", "recordings"):
    for _method in ("GET", "POST"):
        router.add_api_operation(
            f"/{{template_id}}/{_part}",
            [_method],
            _nothing,
            **answers(Nothing, 404),
            operation_id=f"{_method.lower()}_{_part}",
            summary=f"{_method.title()} {_part}",
        )


# --- Shared -------------------------------------------------------------------------------------


def _find(template_id: str) -> Template:
    template = Template.objects.filter(pk=template_id).first()
    if template is None:
        raise NotFound("template: no such template")
    return template


def _change(request: HttpRequest, template_id: str, change: Callable[[Template], object]) -> Template:
    try:
        return change_template(template_id, change, author=author(request))
    except Template.DoesNotExist:
        raise NotFound("template: no such template") from None


def _checked(payload: TemplateBody) -> dict[str, Any]:
    given = payload.dict(exclude_unset=True)
    try:
        check_template(given)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return given


def _name(name: str) -> str:
    if not shows_as_written(name):
        raise BadRequest(f"name: expected {NAME}")
    return name


def shown(template: Template) -> dict[str, Any]:
    own = dict.fromkeys(("customerId", "appId", "customer"), account())
    return {
        **own,
        "id": template.pk,
        "old_id": template.pk,
        "name": template.name,
        "default": template.name == DEFAULT,
        "roles": {name: _shown_role(template, name) for name in template.usable_roles},
        "settings": _shown_settings(template),
        "destinations": {},
        "plugins": template.as_wire()["plugins"],
        "createdAt": template.created_at,
        "updatedAt": template.updated_at,
    }


def _shown_role(template: Template, name: str) -> dict[str, Any]:
    role = template.role(name)
    if role is None:
        raise NotFound("role: no such role")
    given = {field: value for field, value in template.roles[name].items() if value is not None}
    read = {"name": name, "priority": role.priority, "maxPeerCount": role.max_peers}
    return {"permissions": {}, "publishParams": {}, "subscribeParams": {}, **given, **read}


def _shown_settings(template: Template) -> dict[str, Any]:
    given = {field: value for field, value in template.settings.items() if value is not None}
    shows = {field: bool(template.room_state[field]) for field in ("enabled", "sendPeerList")}
    return {**given, "roomState": {**template.room_state, **shows}, "recording": None, "retry": {}}
