//! What a SUMO network (`net_file.xsd` of SUMO 1.28) may hold, and what of it is read over on purpose.
//!
//! Read over, since another attribute already carries its effect or nothing here depends on it: the `net` attributes
//! (netconvert's options; their effect is in shapes and tables), `type`, `taz`, `param`, `prohibition` (its effect is in
//! `request`), of `edge`: `name length bidi type routingType shape distance spreadType`; of `lane`: `prefer friction
//! endOffset acceleration customShape changeLeft changeRight`, `stopOffset`, `neigh`; of `junction`: `z name radius
//! customShape rightOfWay fringe roundabout`; of `connection`: `pass contPos allow disallow speed
//! length shape uncontrolled changeLeft changeRight indirect type linkIndex2` (the lane inside the junction has the
//! shape, the speed and the users). A lane's `type` makes it a parking lane if it is `parking`.

use crate::roads::xml::Known;

pub(super) const NET: Known = &[
    (
        "net",
        &[
            "version",
            "junctionCornerDetail",
            "junctionLinkDetail",
            "lefthand",
            "rectangularLaneCut",
            "walkingareas",
            "limitTurnSpeed",
            "checkLaneFoesAll",
            "checkLaneFoesRoundabout",
            "tlsIgnoreInternalJunctionJam",
            "spreadType",
            "avoidOverlap",
            "junctionHigherSpeed",
            "internalJunctionsVehicleWidth",
            "junctionsMinimalShape",
            "junctionsEndpointShape",
        ],
    ),
    ("location", &["netOffset", "convBoundary", "origBoundary", "projParameter"]),
    (
        "type",
        &[
            "id",
            "allow",
            "disallow",
            "discard",
            "numLanes",
            "oneway",
            "priority",
            "speed",
            "sidewalkWidth",
            "bikeLaneWidth",
            "width",
            "spreadType",
            "friction",
        ],
    ),
    ("restriction", &["vClass", "speed"]),
    ("taz", &["id", "edges", "shape", "color", "name", "fill"]),
    ("tazSource", &["id", "weight"]),
    ("tazSink", &["id", "weight"]),
    ("param", &["key", "value"]),
    (
        "edge",
        &[
            "id",
            "function",
            "from",
            "to",
            "name",
            "priority",
            "length",
            "bidi",
            "type",
            "routingType",
            "shape",
            "distance",
            "spreadType",
            "crossingEdges",
        ],
    ),
    (
        "lane",
        &[
            "id",
            "index",
            "allow",
            "disallow",
            "prefer",
            "speed",
            "friction",
            "length",
            "endOffset",
            "width",
            "acceleration",
            "shape",
            "customShape",
            "type",
            "changeRight",
            "changeLeft",
            "outlineShape",
        ],
    ),
    ("neigh", &["lane"]),
    ("stopOffset", &["value", "vClasses", "exceptions"]),
    (
        "junction",
        &[
            "id",
            "x",
            "y",
            "z",
            "type",
            "incLanes",
            "intLanes",
            "shape",
            "name",
            "radius",
            "customShape",
            "rightOfWay",
            "fringe",
            "roundabout",
        ],
    ),
    ("request", &["index", "response", "foes", "cont"]),
    (
        "connection",
        &[
            "from",
            "to",
            "fromLane",
            "toLane",
            "pass",
            "keepClear",
            "contPos",
            "visibility",
            "allow",
            "disallow",
            "speed",
            "length",
            "shape",
            "uncontrolled",
            "via",
            "tl",
            "linkIndex",
            "linkIndex2",
            "changeRight",
            "changeLeft",
            "indirect",
            "type",
            "dir",
            "state",
        ],
    ),
    ("conflict", &["from", "to", "fromLane", "toLane", "tl", "linkIndex", "startPos", "endPos"]),
    ("prohibition", &["prohibitor", "prohibited"]),
    ("roundabout", &["nodes", "edges"]),
    TL_LOGIC,
    PHASE,
];

/// A signal programme. Read over: `programID` (the last programme read counts, as in SUMO), `name`.
pub(super) const PROGRAMME: Known = &[TL_LOGIC, PHASE, ("param", &["key", "value"])];

const TL_LOGIC: (&str, &[&str]) = ("tlLogic", &["id", "type", "programID", "offset"]);
const PHASE: (&str, &[&str]) = ("phase", &["duration", "state", "minDur", "maxDur", "name", "next"]);
