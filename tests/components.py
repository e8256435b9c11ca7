"""What a browser sends back to the script for a component, sent without one."""

import json
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest


def only_component(app: AppTest, key: str | None = None) -> Any:
    """The page's only component, or the only one with this key."""
    (element,) = (element for element in app.get("bidi_component") if key in {None, element.key})
    return element


def components(app: AppTest) -> list[Any]:
    """The page's components but those that keep its address."""
    return [element for element in app.get("bidi_component") if not element.key.endswith("address")]


def component_data(app: AppTest, key: str) -> dict[str, Any]:
    """What the script sends to a component."""
    data: dict[str, Any] = json.loads(only_component(app, key).proto.json)
    return data


def set_state(app: AppTest, name: str, value: object, key: str | None = None) -> AppTest:
    """Run the script as after `setStateValue(name, value)` in the component with this key, or in the only one."""
    states = _other_widgets(app)
    states.widgets.add(id=only_component(app, key).proto.id, json_value=json.dumps({name: value}))
    return app._run(widget_state=states)


def trigger(app: AppTest, name: str, value: object, key: str | None = None) -> AppTest:
    """Run the script as after `setTriggerValue(name, value)` in the component with this key, or in the only one."""
    states = _other_widgets(app)
    identity = f"$$STREAMLIT_INTERNAL_KEY_{only_component(app, key).proto.id}__events"
    states.widgets.add(id=identity, json_trigger_value=json.dumps([{"event": name, "value": value}]))
    return app._run(widget_state=states)


def _other_widgets(app: AppTest) -> WidgetStates:
    """A browser sends the state of all widgets, whichever has changed."""
    states: WidgetStates = app._tree.get_widget_states()
    return states
