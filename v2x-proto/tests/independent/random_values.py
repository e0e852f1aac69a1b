"""Random values of pycrate's ASN.1 objects.

In: a type and a seeded `random.Random`. Out: a value that the type allows, extension additions and values of extensible
ranges included. Lists become short when they nest, so that messages fit a frame. Values of types that the modules leave
open without a table are left out. Written for pycrate 0.8.1.
"""

import string


class Nothing(Exception):
    """The type has no value that can be made: an open type without a table."""


# Unbounded and extended integers stay within what our types hold.
LARGEST = 2**32 - 1


def bounds(item):
    lower = getattr(item, "lb", item)
    upper = getattr(item, "ub", item)
    return (0 if lower is None else lower), (LARGEST if upper is None else upper)


def number(random, constraint, limit=None):
    """A number of the constraint's root, at times of its extension; the ends more often than their share."""
    items = list(constraint.root)
    if constraint.ext and random.random() < 0.1:
        items = list(constraint.ext)
    lower, upper = bounds(random.choice(items))
    if limit is not None:
        upper = max(lower, min(upper, limit))
    kind = random.random()
    if kind < 0.15:
        return lower
    if kind < 0.3 and limit is None:
        return upper
    return random.randint(lower, upper)


class Values:
    """Makes values; `often` is how often what is optional is there."""

    def __init__(self, random, often):
        self.random, self.often = random, often

    def count(self, obj, depth, usual):
        constraint = obj._const_sz
        if constraint is None:
            return self.random.randint(0, usual)
        return number(self.random, constraint, limit=max(1, usual >> max(0, depth - 3)))

    def value(self, obj, depth=0):
        kind = obj.TYPE.replace(" ", "_").replace("-", "_").lower()
        return getattr(self, kind)(obj, depth)

    def integer(self, obj, depth):
        constraint = obj._const_val
        return self.random.randint(-2**31, 2**31) if constraint is None else number(self.random, constraint)

    def boolean(self, obj, depth):
        return self.random.random() < 0.5

    def null(self, obj, depth):
        return 0

    def enumerated(self, obj, depth):
        names = list(obj._root)
        if obj._ext and self.random.random() < 0.2:
            names = list(obj._ext)
        return self.random.choice(names)

    def bit_string(self, obj, depth):
        length = self.count(obj, depth, 64)
        return self.random.getrandbits(length) if length else 0, length

    def octet_string(self, obj, depth):
        return self.random.randbytes(self.count(obj, depth, 20))

    def characters(self, obj, depth, alphabet):
        if getattr(obj, "_const_alpha", None):
            alphabet = "".join(c for c in alphabet if c in obj._const_alpha)
        return "".join(self.random.choice(alphabet) for _ in range(self.count(obj, depth, 24)))

    def ia5string(self, obj, depth):
        return self.characters(obj, depth, string.ascii_letters + string.digits + " !~")

    def visiblestring(self, obj, depth):
        return self.characters(obj, depth, string.ascii_letters + string.digits + " !~")

    def numericstring(self, obj, depth):
        return self.characters(obj, depth, string.digits + " ")

    def utf8string(self, obj, depth):
        return self.characters(obj, depth, string.ascii_letters + "äß€\U0001F6B2")

    def sequence_of(self, obj, depth):
        return [self.value(obj._cont, depth + 1) for _ in range(self.count(obj, depth, 12))]

    def choice(self, obj, depth):
        names = list(obj._root)
        if obj._ext and self.random.random() < 0.2:
            names = list(obj._ext)
        name = self.random.choice(names)
        return name, self.value(obj._cont[name], depth + 1)

    def sequence(self, obj, depth):
        made, present = {}, set(obj._root_mand)
        present.update(name for name in obj._root_opt if self.random.random() < self.often)
        for unit in obj._ext_nest if obj._ext and self.random.random() < self.often else []:
            if self.random.random() < 0.5:
                present.update(self.addition(obj, unit))
        for name, part in obj._cont.items():
            if name not in present:
                continue
            try:
                made[name] = self.open(obj, part, made, depth) if part.TYPE == "OPEN_TYPE" else self.value(part, depth + 1)
            except Nothing:
                if name in obj._root_mand:
                    raise
        return made

    def addition(self, obj, unit):
        """Components of an extension addition that are there: the one, or some of a group with all that it must have."""
        if unit[0] not in (obj._ext_ident or {}):
            return unit
        group = obj._ext_group_obj[obj._ext_ident[unit[0]]]._cont
        must = [name for name in unit if not group[name]._opt]
        return must + [name for name in unit if group[name]._opt and self.random.random() < 0.5]

    def open(self, owner, part, made, depth):
        """Content of an open type, and the identifier in the component before it that says which."""
        table, at = part._const_tab, getattr(part, "_const_tab_at", None)
        if table is None or not at:
            raise Nothing
        indicator = at[-1]
        ident = owner._cont[indicator]._const_tab_id
        rows = [row for row in table._val.root if isinstance(row, dict) and part._const_tab_id in row and ident in row]
        if not rows:
            raise Nothing
        row = self.random.choice(rows)
        made[indicator] = row[ident]
        return row[part._const_tab_id], self.value(row[part._const_tab_id], depth + 1)
