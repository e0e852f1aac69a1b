//! Entities: vehicles, pedestrians, objects, and the controllers that may stand beside them.

use super::{Context, Result};
use crate::actor::{ActorKind, Role, Size};
use crate::openscenario::DEFAULT_CONTROLLERS;
use crate::openscenario::model::Entity;
use crate::openscenario::xml::Element;

impl Context {
    pub(super) fn scenario_object(&self, object: Element<'_>) -> Result<Entity> {
        object.only(&["name"], &["CatalogReference", "Vehicle", "Pedestrian", "MiscObject", "ObjectController"])?;
        for controller in object.all("ObjectController") {
            controller.only(&["name"], &["CatalogReference", "Controller"])?;
            for child in controller.children() {
                self.check_controller(child)?;
            }
        }
        let name = object.required("name")?;
        let body = object
            .children()
            .find(|child| child.tag() != "ObjectController")
            .ok_or_else(|| object.invalid(format!("{name:?} is neither vehicle, pedestrian nor object")))?;
        if body.tag() != "CatalogReference" {
            return entity(name, body);
        }
        let catalog = body.required("catalogName")?;
        let kind = match () {
            () if catalog.contains("Pedestrian") => "Pedestrian",
            () if catalog.contains("Misc") => "MiscObject",
            () => "Vehicle",
        };
        self.catalogs.entry(body, kind, |body| entity(name, body))
    }

    /// A controller is one that moves its entity as the default one does; any other is an error.
    fn check_controller(&self, controller: Element<'_>) -> Result<()> {
        match controller.tag() {
            "CatalogReference" => self.catalogs.entry(controller, "Controller", check_controller),
            _ => check_controller(controller),
        }
    }
}

fn check_controller(controller: Element<'_>) -> Result<()> {
    controller.only(&["name", "controllerType"], &["ParameterDeclarations"])?;
    let name = controller.required("name")?;
    if DEFAULT_CONTROLLERS.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    Err(controller.unsupported(format!("controller {name:?}")))
}

fn entity(name: String, body: Element<'_>) -> Result<Entity> {
    let category = match body.tag() {
        "Vehicle" => "vehicleCategory",
        "Pedestrian" => "pedestrianCategory",
        "MiscObject" => "miscObjectCategory",
        _ => return body.refuse(),
    };
    body.only(&["name", category, "role"], &["ParameterDeclarations", "BoundingBox", "Trailer"])?;
    let kind = body
        .one_of(category, KINDS)?
        .ok_or_else(|| body.invalid(format!("<{}> has no attribute {category}", body.tag())))?;
    if let Some(trailer) = body.maybe("Trailer") {
        // A reference that a parameter leaves empty is no trailer.
        match trailer.maybe("TrailerRef").map(|reference| reference.text("entityRef")).transpose()? {
            Some(Some(reference)) if reference.is_empty() => {}
            _ => return trailer.refuse(),
        }
    }
    let (mut size, mut centre_m) = (kind.usual_size(), [0.0; 2]);
    if let Some(bounds) = body.maybe("BoundingBox") {
        bounds.only(&[], &["Center", "Dimensions"])?;
        let (centre, extent) = (bounds.child("Center")?, bounds.child("Dimensions")?);
        centre.only(&["x", "y", "z"], &[])?;
        extent.only(&["length", "width", "height"], &[])?;
        let positive = |name| match extent.required_number(name)? {
            value if value > 0.0 && value < 1000.0 => Ok(value),
            value => Err(extent.invalid(format!("{name} cannot be {value}"))),
        };
        size = Size { length_m: positive("length")?, width_m: positive("width")?, height_m: positive("height")? };
        centre_m = [centre.required_number("x")?, centre.required_number("y")?];
    }
    let role = body.one_of("role", ROLES)?.unwrap_or_default();
    Ok(Entity { name, kind, role, size, centre_m })
}

const KINDS: &[(&str, ActorKind)] = &[
    ("car", ActorKind::Car),
    ("van", ActorKind::Van),
    ("truck", ActorKind::Truck),
    ("bus", ActorKind::Bus),
    ("tram", ActorKind::Tram),
    ("motorbike", ActorKind::Motorcycle),
    ("bicycle", ActorKind::Bicycle),
    ("standup_scooter", ActorKind::EScooter),
    ("pedestrian", ActorKind::Adult),
    ("wheelchair", ActorKind::Wheelchair),
    ("animal", ActorKind::Deer),
    ("obstacle", ActorKind::LostCargo),
    ("roadMark", ActorKind::Cone),
    ("barrier", ActorKind::Barrier),
];

const ROLES: &[(&str, Role)] = &[
    ("none", Role::Ordinary),
    ("civil", Role::Ordinary),
    ("ambulance", Role::Emergency),
    ("fire", Role::Emergency),
    ("police", Role::Emergency),
    ("publicTransport", Role::PublicTransport),
    ("roadAssistance", Role::RoadWorks),
];
