"""What a browser sends back to the script for a component, sent without one."""

import json
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest


def only_component(app: AppTest) -> Any:
    (element,) = app.get("bidi_component")
    return element


def set_state(app: AppTest, name: str, value: object) -> AppTest:
    """Run the script as after `setStateValue(name, value)` in the page's only component."""
    states = WidgetStates()
    states.widgets.add(id=only_component(app).proto.id, json_value=json.dumps({name: value}))
    return app._run(widget_state=states)


def trigger(app: AppTest, name: str, value: object) -> AppTest:
    """Run the script as after `setTriggerValue(name, value)` in the page's only component."""
    states = WidgetStates()
    identity = f"$$STREAMLIT_INTERNAL_KEY_{only_component(app).proto.id}__events"
    states.widgets.add(id=identity, json_trigger_value=json.dumps([{"event": name, "value": value}]))
    return app._run(widget_state=states)
