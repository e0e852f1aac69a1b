"""What can be spawned and attached."""

import fnmatch

from .geometry import Vector3D


class ActorBlueprint:
    """A kind of actor or sensor, with attributes that can be set."""

    def __init__(self, message):
        self.id = message.id
        self.size = Vector3D._of(message.size) if message.HasField("size") else None
        self._units = {one.name: one.unit for one in message.attributes}
        self._values = {one.name: one.value for one in message.attributes}
        self.role = ""
        self.appearance = 0

    @property
    def tags(self):
        return self.id.split(".")

    def has_attribute(self, name):
        return name in self._values or name == "role_name"

    def get_attribute(self, name):
        return self.role if name == "role_name" else self._values[name]

    def set_attribute(self, name, value):
        """Sets an attribute; `role_name` is the actor's role."""
        if name == "role_name":
            self.role = value
        elif name in self._values:
            self._values[name] = str(value)
        else:
            raise KeyError(f"{self.id} has no attribute {name!r}")

    def __iter__(self):
        return iter(self._values.items())

    def __repr__(self):
        return f"ActorBlueprint({self.id})"


class BlueprintLibrary:
    """All blueprints."""

    def __init__(self, blueprints):
        self._blueprints = list(blueprints)

    def filter(self, pattern):
        """Those whose name matches a pattern such as `vehicle.*`."""
        return BlueprintLibrary(one for one in self._blueprints if fnmatch.fnmatch(one.id, pattern))

    def find(self, name):
        for one in self._blueprints:
            if one.id == name:
                return one
        raise IndexError(f"there is no blueprint {name!r}")

    def __getitem__(self, index):
        return self._blueprints[index]

    def __len__(self):
        return len(self._blueprints)

    def __iter__(self):
        return iter(self._blueprints)
