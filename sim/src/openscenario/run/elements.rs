//! The storyboard's elements and their states.

use super::Storyboard;
use super::conditions::{Ask, Watch};
use crate::openscenario::error::{Error, Place};
use crate::openscenario::model::*;
use std::sync::Arc;

/// Every element, parents before children.
#[derive(Debug, Default)]
pub(super) struct Elements {
    nodes: Vec<Node>,
    watches: Vec<Watch>,
    actions: Vec<(Action, Arc<[EntityId]>)>,
    stop: usize,
    ended: bool,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: ElementKind,
    path: String,
    parent: Option<usize>,
    children: Vec<usize>,
    state: State,
    /// Transitions since the last step began.
    fresh: Vec<(f64, ElementState)>,
    /// What conditions see during this step.
    seen: (State, Vec<(f64, ElementState)>),
    start: Option<usize>,
    stop: Option<usize>,
    executions: u32,
    left: u32,
    priority: Priority,
    action: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Standby,
    Running,
    Complete,
}

impl Node {
    /// What a condition on its state sees.
    pub(super) fn is(&self, state: ElementState) -> bool {
        match state {
            ElementState::Standby => self.seen.0 == State::Standby,
            ElementState::Running => self.seen.0 == State::Running,
            ElementState::Complete => self.seen.0 == State::Complete,
            transition => self.seen.1.iter().any(|(_, seen)| *seen == transition),
        }
    }
}

impl Elements {
    pub(super) fn new(scenario: &Scenario) -> Result<Self, Error> {
        let mut elements = Self::default();
        for story in &scenario.stories {
            let at = elements.add(None, ElementKind::Story, &story.name);
            for act in &story.acts {
                let at = elements.add(Some(at), ElementKind::Act, &act.name);
                elements.nodes[at].start = elements.watch(&act.start);
                elements.nodes[at].stop = elements.watch(&act.stop);
                for group in &act.groups {
                    let at = elements.add(Some(at), ElementKind::ManeuverGroup, &group.name);
                    elements.set_executions(at, group.executions);
                    let actors: Arc<[EntityId]> = group.actors.clone().into();
                    for maneuver in &group.maneuvers {
                        let at = elements.add(Some(at), ElementKind::Maneuver, &maneuver.name);
                        for event in &maneuver.events {
                            elements.add_event(at, event, &actors);
                        }
                    }
                }
            }
        }
        elements.watches.push(Watch::new(&scenario.stop));
        elements.stop = elements.watches.len() - 1;
        for watch in 0..elements.watches.len() {
            let Self { nodes, watches, .. } = &mut elements;
            watches[watch].resolve(|kind, reference| {
                let named = |node: &Node| {
                    node.kind == kind
                        && node
                            .path
                            .strip_suffix(reference)
                            .is_some_and(|before| before.is_empty() || before.ends_with("::"))
                };
                nodes.iter().position(named).ok_or_else(|| Error::Invalid {
                    place: Place { file: scenario.file.clone(), line: 1 },
                    what: format!("the storyboard has no {kind:?} {reference:?}"),
                })
            })?;
        }
        Ok(elements)
    }

    fn add_event(&mut self, maneuver: usize, event: &Event, actors: &Arc<[EntityId]>) {
        let at = self.add(Some(maneuver), ElementKind::Event, &event.name);
        self.nodes[at].start = self.watch(&event.start);
        self.nodes[at].priority = event.priority;
        self.set_executions(at, event.executions);
        for action in &event.actions {
            let at = self.add(Some(at), ElementKind::Action, &action.name);
            self.actions.push((action.action.clone(), actors.clone()));
            self.nodes[at].action = Some(self.actions.len() - 1);
        }
    }

    fn add(&mut self, parent: Option<usize>, kind: ElementKind, name: &str) -> usize {
        let path = match parent {
            Some(parent) => format!("{}::{name}", self.nodes[parent].path),
            None => name.to_owned(),
        };
        self.nodes.push(Node {
            kind,
            path,
            parent,
            children: Vec::new(),
            state: State::Standby,
            fresh: Vec::new(),
            seen: Default::default(),
            start: None,
            stop: None,
            executions: 1,
            left: 1,
            priority: Priority::Parallel,
            action: None,
        });
        let at = self.nodes.len() - 1;
        if let Some(parent) = parent {
            self.nodes[parent].children.push(at);
        }
        at
    }

    fn set_executions(&mut self, at: usize, executions: u32) {
        (self.nodes[at].executions, self.nodes[at].left) = (executions, executions);
    }

    /// A trigger to watch; one without conditions needs no watching.
    fn watch(&mut self, trigger: &Trigger) -> Option<usize> {
        (!trigger.groups.is_empty()).then(|| {
            self.watches.push(Watch::new(trigger));
            self.watches.len() - 1
        })
    }

    /// One step: what is over ends, then what its trigger asks for begins. Returns what began and ended.
    pub(super) fn update(&mut self, board: &mut Storyboard, now_s: f64) -> Vec<(f64, String, &'static str)> {
        for at in (0..self.nodes.len()).rev() {
            self.end_if_over(board, at, now_s);
        }
        let mut log = Vec::new();
        for node in &mut self.nodes {
            let fresh = std::mem::take(&mut node.fresh);
            log.extend(
                fresh.iter().map(|(time_s, transition)| (*time_s, node.path.clone(), transition_name(*transition))),
            );
            node.seen = (node.state, fresh);
        }
        if !self.ended && self.holds(board, self.stop, now_s) {
            self.ended = true;
            for at in 0..self.nodes.len() {
                self.stop_all(board, at, now_s);
            }
            if let Ok(mut status) = board.status.lock() {
                status.ended_s = Some(now_s);
            }
        }
        for at in 0..self.nodes.len() {
            self.begin_if_asked(board, at, now_s);
        }
        log
    }

    fn end_if_over(&mut self, board: &Storyboard, at: usize, now_s: f64) {
        let node = &self.nodes[at];
        if node.state != State::Running {
            return;
        }
        let over = match node.kind {
            ElementKind::Action => !board.running.iter().any(|running| running.element == Some(at)),
            _ => node.children.iter().all(|child| self.nodes[*child].state == State::Complete),
        };
        if !over {
            return;
        }
        let node = &mut self.nodes[at];
        node.left = node.left.saturating_sub(1);
        node.fresh.push((now_s, ElementState::EndTransition));
        if node.left == 0 {
            node.state = State::Complete;
            return;
        }
        // Again: it waits, and with it everything in it.
        node.state = State::Standby;
        for child in self.below(at) {
            let child = &mut self.nodes[child];
            (child.state, child.left) = (State::Standby, child.executions);
        }
    }

    fn begin_if_asked(&mut self, board: &mut Storyboard, at: usize, now_s: f64) {
        let node = &self.nodes[at];
        if node.state == State::Running && node.stop.is_some_and(|stop| self.holds(board, stop, now_s)) {
            self.stop_all(board, at, now_s);
            return;
        }
        let node = &self.nodes[at];
        let within = node.parent.map_or(!self.ended, |parent| self.nodes[parent].state == State::Running);
        if node.state != State::Standby || !within || node.kind == ElementKind::Action {
            return;
        }
        if node.start.is_some_and(|start| !self.holds(board, start, now_s)) {
            return;
        }
        if self.nodes[at].kind == ElementKind::Event {
            self.begin_event(board, at, now_s);
            return;
        }
        self.set_running(at, now_s);
    }

    fn begin_event(&mut self, board: &mut Storyboard, at: usize, now_s: f64) {
        let siblings = self.nodes[at].parent.map(|parent| self.nodes[parent].children.clone()).unwrap_or_default();
        let others: Vec<usize> =
            siblings.into_iter().filter(|other| *other != at && self.nodes[*other].state == State::Running).collect();
        match self.nodes[at].priority {
            Priority::Skip if !others.is_empty() => {
                self.nodes[at].fresh.push((now_s, ElementState::SkipTransition));
                return;
            }
            Priority::Override => others.into_iter().for_each(|other| self.stop_all(board, other, now_s)),
            Priority::Skip | Priority::Parallel => {}
        }
        self.set_running(at, now_s);
        for child in self.nodes[at].children.clone() {
            self.set_running(child, now_s);
            if let Some(action) = self.nodes[child].action {
                let (action, actors) = &self.actions[action];
                board.begin(Some(child), action, actors, now_s);
            }
        }
    }

    fn set_running(&mut self, at: usize, now_s: f64) {
        self.nodes[at].state = State::Running;
        self.nodes[at].fresh.push((now_s, ElementState::StartTransition));
    }

    /// Ends an element from outside, and everything in it.
    fn stop_all(&mut self, board: &mut Storyboard, at: usize, now_s: f64) {
        let below = self.below(at);
        for at in std::iter::once(at).chain(below) {
            let node = &mut self.nodes[at];
            if node.state == State::Complete {
                continue;
            }
            node.state = State::Complete;
            node.fresh.push((now_s, ElementState::StopTransition));
            board.running.retain(|running| running.element != Some(at));
        }
    }

    fn below(&self, at: usize) -> Vec<usize> {
        let mut below = self.nodes[at].children.clone();
        let mut next = 0;
        while let Some(child) = below.get(next).copied() {
            below.extend(&self.nodes[child].children);
            next += 1;
        }
        below
    }

    fn holds(&mut self, board: &Storyboard, watch: usize, now_s: f64) -> bool {
        let ask = Ask { board, nodes: &self.nodes, now_s };
        self.watches[watch].holds(&ask)
    }
}

fn transition_name(transition: ElementState) -> &'static str {
    match transition {
        ElementState::StartTransition => "start",
        ElementState::EndTransition => "end",
        ElementState::StopTransition => "stop",
        ElementState::SkipTransition => "skip",
        ElementState::Standby | ElementState::Running | ElementState::Complete => "state",
    }
}
