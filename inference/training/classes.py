"""What the shipped detector tells apart and how large its pictures are."""

# In the order of its outputs; the names are those of the node's model descriptions.
CLASSES = ["person", "bicycle", "motorcycle", "e-scooter", "car", "van", "truck", "bus", "animal", "obstacle"]
WIDTH_PX, HEIGHT_PX = 640, 384
