//! Breadth first through all worlds, so that the way to a wrong one is a shortest one.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashSet, VecDeque};
use std::hash::{Hash, Hasher};

use super::invariants;
use super::moves::{self, Rules};
use super::real::Real;
use super::rest::Rest;
use super::runner::Label;
use super::world::World;

pub struct Found {
    pub states: usize,
    pub resting: usize,
    pub violation: Option<(&'static str, Vec<String>)>,
}

/// How each world was reached.
struct Way {
    from: u32,
    label: Label,
}

/// Up to `limit` worlds; None: all there are.
pub fn explore(start: World, rules: &Rules, limit: Option<usize>, real: &mut Real) -> Found {
    let mut seen = HashSet::new();
    let mut ways = vec![Way { from: 0, label: Label::outside("", None) }];
    let mut queue = VecDeque::from([(0_u32, start)]);
    let mut rest = Rest::default();
    seen.insert(print_of(&start));
    while let Some((at, world)) = queue.pop_front() {
        if let Some(wrong) = invariants::state(&world) {
            return found(&ways, &rest, Some((wrong, trace(&ways, at))));
        }
        if let Some((wrong, then)) = rest.check(&world, real) {
            let mut trace = trace(&ways, at);
            trace.extend(then);
            return found(&ways, &rest, Some((wrong, trace)));
        }
        for next in moves::next(&world, rules, real) {
            if let Some(wrong) = next.wrong {
                let mut trace = trace(&ways, at);
                trace.push(next.label.to_string());
                return found(&ways, &rest, Some((wrong, trace)));
            }
            if limit.is_none_or(|limit| ways.len() < limit) && seen.insert(print_of(&next.world)) {
                queue.push_back((ways.len() as u32, next.world));
                ways.push(Way { from: at, label: next.label });
            }
        }
    }
    found(&ways, &rest, None)
}

fn found(ways: &[Way], rest: &Rest, violation: Option<(&'static str, Vec<String>)>) -> Found {
    Found { states: ways.len(), resting: rest.checked(), violation }
}

/// Stands for a world: with 64 bits, two of some millions are not likely to share one.
fn print_of(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

fn trace(ways: &[Way], mut at: u32) -> Vec<String> {
    let mut trace = Vec::new();
    while at != 0 {
        let way = &ways[at as usize];
        trace.push(way.label.to_string());
        at = way.from;
    }
    trace.reverse();
    trace
}
