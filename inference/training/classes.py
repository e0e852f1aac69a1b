"""What the shipped detector tells apart, in the order of its outputs; the names are those of the node's model descriptions."""

CLASSES = ["person", "bicycle", "motorcycle", "e-scooter", "car", "van", "truck", "bus", "animal", "obstacle"]
