"""Lanes, and places on them."""

from ._interface import messages
from .geometry import Location, Transform


class Waypoint:
    """A place on a lane."""

    def __init__(self, the_map, message):
        self._map = the_map
        self.lane_id = message.lane
        self.s = message.s
        self.transform = Transform._of(message.transform)
        self.lane_width = message.width
        self.is_junction = message.junction
        self._left = message.left if message.HasField("left") else None
        self._right = message.right if message.HasField("right") else None

    @property
    def lane(self):
        return self._map.lanes[self.lane_id]

    @property
    def lane_type(self):
        return self.lane.kind

    def next(self, distance):
        """Places this far ahead, one for each way."""
        request = messages.GetNextWaypointsRequest(lane=self.lane_id, s=self.s, distance=distance)
        return [Waypoint(self._map, one) for one in self._map._client._call("GetNextWaypoints", request).waypoints]

    def previous(self, distance):
        """Places this far behind."""
        return self.next(-distance)

    def get_left_lane(self):
        return self._beside(self._left)

    def get_right_lane(self):
        return self._beside(self._right)

    def _beside(self, lane):
        if lane is None:
            return None
        request = messages.GetNextWaypointsRequest(lane=lane, s=self.s, distance=0.0)
        found = self._map._client._call("GetNextWaypoints", request).waypoints
        return Waypoint(self._map, found[0]) if found else None

    def __repr__(self):
        return f"Waypoint(lane {self.lane.name}, s={self.s:.1f})"


class Map:
    """The map of a world."""

    def __init__(self, client):
        self._client = client
        message = client._call("GetMap", messages.GetMapRequest())
        self.name = message.name
        self.lanes = {lane.id: lane for lane in message.lanes}
        self._spawn_points = message.spawn_points

    def get_spawn_points(self):
        """Places for vehicles."""
        return [Transform._of(one) for one in self._spawn_points]

    def get_waypoint(self, location, lane_type="driving"):
        """The nearest place on a lane for motor vehicles, or with `lane_type="any"` on any."""
        request = messages.GetWaypointRequest(location=location._message(), driving=lane_type == "driving")
        return Waypoint(self, self._client._call("GetWaypoint", request))

    def get_topology(self):
        """Pairs of lanes that lead into each other, by their first places."""
        return [(self._first(lane), self._first(self.lanes[after])) for lane in self.lanes.values() for after in lane.next]

    def _first(self, lane):
        message = messages.Waypoint(lane=lane.id, width=lane.width, junction=lane.junction)
        message.transform.location.CopyFrom(lane.centre[0])
        return Waypoint(self, message)

    def generate_waypoints(self, distance):
        """Places on lanes for driving, each this far from the next."""
        for lane in self.lanes.values():
            if lane.kind == "driving" and not lane.junction:
                ends = [Location._of(point) for point in lane.centre]
                length = sum(a.distance(b) for a, b in zip(ends, ends[1:]))
                for place in range(int(length // distance) + 1):
                    request = messages.GetNextWaypointsRequest(lane=lane.id, s=place * distance, distance=0.0)
                    for one in self._client._call("GetNextWaypoints", request).waypoints:
                        yield Waypoint(self, one)
