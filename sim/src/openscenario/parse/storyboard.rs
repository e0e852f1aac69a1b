//! Init, stories, acts, maneuver groups, maneuvers, events.

use super::{Context, Result};
use crate::openscenario::model::*;
use crate::openscenario::xml::{Element, Scope};

impl Context {
    pub(super) fn init(&self, init: Element<'_>) -> Result<Vec<InitAction>> {
        init.only(&[], &["Actions"])?;
        let list = init.child("Actions")?;
        list.only(&[], &["GlobalAction", "Private"])?;
        let mut actions = Vec::new();
        for element in list.children() {
            if element.tag() == "GlobalAction" {
                actions.push(InitAction { entity: None, action: self.global_action(element)? });
                continue;
            }
            element.only(&["entityRef"], &["PrivateAction"])?;
            let entity = Some(self.entity(element, "entityRef")?);
            for action in element.all("PrivateAction") {
                actions.push(InitAction { entity, action: self.private_action(action)? });
            }
        }
        Ok(actions)
    }

    pub(super) fn story(&self, story: Element<'_>) -> Result<Story> {
        story.only(&["name"], &["ParameterDeclarations", "Act"])?;
        let values = super::declarations(story, "ParameterDeclaration", &Default::default())?;
        let scope = Scope { values, outer: Some(story.scope()) };
        let story = story.within(&scope);
        Ok(Story { name: story.name(), acts: story.all("Act").map(|act| self.act(act)).collect::<Result<_>>()? })
    }

    fn act(&self, act: Element<'_>) -> Result<Act> {
        act.only(&["name"], &["ManeuverGroup", "StartTrigger", "StopTrigger"])?;
        Ok(Act {
            name: act.name(),
            groups: act.all("ManeuverGroup").map(|group| self.group(group)).collect::<Result<_>>()?,
            start: self.trigger(act.maybe("StartTrigger"))?,
            stop: self.trigger(act.maybe("StopTrigger"))?,
        })
    }

    fn group(&self, group: Element<'_>) -> Result<ManeuverGroup> {
        group.only(&["name", "maximumExecutionCount"], &["Actors", "CatalogReference", "Maneuver"])?;
        let list = group.child("Actors")?;
        list.only(&["selectTriggeringEntities"], &["EntityRef"])?;
        if list.flag("selectTriggeringEntities")? == Some(true) {
            return Err(list.unsupported("selectTriggeringEntities=\"true\" of <Actors>"));
        }
        let actors = list.all("EntityRef").map(|actor| self.entity(actor, "entityRef")).collect::<Result<_>>()?;
        let maneuvers = group
            .children()
            .filter_map(|child| match child.tag() {
                "Maneuver" => Some(self.maneuver(child)),
                "CatalogReference" => Some(self.catalogs.entry(child, "Maneuver", |entry| self.maneuver(entry))),
                _ => None,
            })
            .collect::<Result<_>>()?;
        Ok(ManeuverGroup { name: group.name(), executions: executions(group)?, actors, maneuvers })
    }

    fn maneuver(&self, maneuver: Element<'_>) -> Result<Maneuver> {
        maneuver.only(&["name"], &["ParameterDeclarations", "Event"])?;
        let events = maneuver.all("Event").map(|event| self.event(event)).collect::<Result<_>>()?;
        Ok(Maneuver { name: maneuver.name(), events })
    }

    fn event(&self, event: Element<'_>) -> Result<Event> {
        const PRIORITIES: &[(&str, Priority)] = &[
            ("override", Priority::Override),
            ("overwrite", Priority::Override),
            ("skip", Priority::Skip),
            ("parallel", Priority::Parallel),
        ];
        event.only(&["name", "priority", "maximumExecutionCount"], &["Action", "StartTrigger"])?;
        let priority = event.one_of("priority", PRIORITIES)?;
        let actions = event
            .all("Action")
            .map(|action| {
                action.only(&["name"], &["PrivateAction", "GlobalAction"])?;
                let inner = action.choice_among_children()?;
                let name = action.name();
                let action = match inner.tag() {
                    "GlobalAction" => self.global_action(inner)?,
                    _ => self.private_action(inner)?,
                };
                Ok(NamedAction { name, action })
            })
            .collect::<Result<_>>()?;
        Ok(Event {
            name: event.name(),
            priority: priority.ok_or_else(|| event.invalid("<Event> has no attribute priority"))?,
            executions: executions(event)?,
            actions,
            start: self.trigger(event.maybe("StartTrigger"))?,
        })
    }
}

fn executions(element: Element<'_>) -> Result<u32> {
    Ok(element.parsed("maximumExecutionCount")?.unwrap_or(1))
}
