//! Turns the advice about a reason into the steps of an entry.

use super::query::QueryContext;
use super::sources::CitedSources;
use crate::catalog::classify::Reason;
use crate::catalog::{Advice, AdviceId, Fate, Situation, find_advice, value_name};
use crate::report::explain::{AdviceStep, Fix};
use crate::smtp::event::{Direction, Mta};
use crate::smtp::reply::Class;
use crate::smtp::side::Side;

/// The directions to advise on: the known one, else outbound and inbound.
pub(crate) fn sides(context: &QueryContext) -> Vec<Direction> {
    context.direction.map_or_else(|| vec![Direction::Outbound, Direction::Inbound], |one| vec![one])
}

/// The situation of a reason about which nothing else is known than the class and the direction.
pub(crate) fn bare_situation(
    reason: Reason,
    class: Option<Class>,
    direction: Direction,
) -> Situation<'static> {
    let side = assumed_side(direction);
    let fate = Fate::of(direction, class, None, None);
    Situation { reason, cause: None, direction, side, fate, provider: None }
}

/// Where the other side is taken to be if nothing is known of it.
pub(crate) fn assumed_side(direction: Direction) -> Side {
    match direction {
        Direction::Local => Side::ThisHost,
        Direction::Outbound | Direction::Inbound => Side::Internet,
    }
}

/// The whole advice on a reason: one `Fix` for each direction that has any.
pub(crate) fn fixes(reason: Reason, class: Option<Class>, context: &QueryContext) -> Vec<Fix> {
    let fix = |direction| fix(&bare_situation(reason, class, direction), context.mta);
    sides(context).into_iter().filter_map(fix).collect()
}

/// The whole advice in a situation. `None`: there is nothing to do.
pub(crate) fn fix(situation: &Situation, mta: Option<Mta>) -> Option<Fix> {
    let steps = full_steps(situation, mta);
    (!steps.is_empty()).then_some(Fix { direction: situation.direction, side: situation.side, steps })
}

/// The whole advice in one direction: a step for every mail server, then one for Postfix and one for Exim, without those
/// that are empty. If the server is known, one step joins both.
fn full_steps(situation: &Situation, mta: Option<Mta>) -> Vec<AdviceStep> {
    let Some(row) = find_advice(situation).map(AdviceId::row) else { return Vec::new() };
    if let Some(mta) = mta {
        return Some(step(None, row.for_mta(mta, situation.fate))).filter(is_not_empty).into_iter().collect();
    }
    let (all, own) = row.by_server(situation.fate);
    let same = common_line(own.iter().map(|(_, advice)| advice.line.as_str()));
    let common = same.filter(|line| !line.is_empty()).unwrap_or(&all.line).to_owned();
    let is_common = same.is_some();
    let own = own.into_iter().map(|(mta, advice)| {
        let line = if is_common { String::new() } else { advice.line.clone() };
        step(Some(mta), Advice { line, ..advice })
    });
    let own: Vec<AdviceStep> = own.collect();
    let all = step(None, Advice { line: common, ..all });
    std::iter::once(all).chain(own).filter(is_not_empty).collect()
}

/// The line that all servers share. `None`: they differ.
fn common_line<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = lines.next()?;
    lines.all(|line| line == first).then_some(first)
}

fn step(mta: Option<Mta>, advice: Advice) -> AdviceStep {
    let Advice { line, check, act, stop, sources: _ } = advice;
    AdviceStep { label: String::new(), mta, line, check, act, stop }
}

/// Whether the step has any text.
fn is_not_empty(step: &AdviceStep) -> bool {
    let lists = step.check.len() + step.act.len();
    lists > 0 || !step.line.is_empty() || !step.stop.is_empty()
}

/// The line of advice alone: one step, or two if the lines for Postfix and Exim differ.
pub(crate) fn short_steps(
    reason: Reason,
    direction: Direction,
    class: Option<Class>,
    mta: Option<Mta>,
) -> Vec<AdviceStep> {
    let situation = bare_situation(reason, class, direction);
    let Some(row) = find_advice(&situation).map(AdviceId::row) else { return Vec::new() };
    let label = value_name(reason);
    let short = |mta, line: String| AdviceStep { label: label.clone(), mta, line, ..AdviceStep::default() };
    let line = |mta| row.for_mta(mta, situation.fate).line;
    let steps = match mta {
        Some(mta) => vec![short(None, line(mta))],
        None => {
            let lines: Vec<(Mta, String)> = row.own.iter().map(|(mta, _)| (mta, line(mta))).collect();
            match common_line(lines.iter().map(|(_, line)| line.as_str())) {
                Some(line) => vec![short(None, line.to_owned())],
                None => lines.into_iter().map(|(mta, line)| short(Some(mta), line)).collect(),
            }
        }
    };
    steps.into_iter().filter(is_not_empty).collect()
}

/// Adds the documents behind the advice on a reason.
pub(crate) fn advice_sources(reason: Reason, context: &QueryContext, sources: &mut CitedSources) {
    for direction in sides(context) {
        add_sources(&bare_situation(reason, None, direction), context.mta, sources);
    }
}

/// Adds the documents behind the advice in a situation.
pub(crate) fn add_sources(situation: &Situation, mta: Option<Mta>, sources: &mut CitedSources) {
    let Some(row) = find_advice(situation).map(AdviceId::row) else { return };
    sources.add_all(&row.all.sources);
    let own = row.own.iter().filter(|(server, _)| mta.is_none_or(|wanted| wanted == *server));
    sources.add_all(own.flat_map(|(_, advice)| &advice.sources));
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::catalog::advise;

    /// `scan` prints the line of [`advise`].
    #[test]
    fn explain_advises_as_scan_does() {
        let classes: Vec<Option<Class>> =
            Class::value_variants().iter().copied().map(Some).chain([None]).collect();
        for &reason in Reason::value_variants() {
            for &direction in Direction::value_variants() {
                for &class in &classes {
                    for &mta in Mta::value_variants() {
                        let context = QueryContext {
                            direction: Some(direction),
                            mta: Some(mta),
                            ..QueryContext::default()
                        };
                        let scan = advise(&bare_situation(reason, class, direction), Some(mta));
                        let scan = scan.map(|advice| advice.line);
                        let what = format!("{reason:?}, {direction:?}, {class:?}, {mta:?}");
                        let full = fixes(reason, class, &context);
                        let full = full.first().and_then(|fix| fix.steps.first());
                        assert_eq!(full.map(|step| step.line.clone()), scan, "{what}");
                        let short = short_steps(reason, direction, class, Some(mta));
                        assert_eq!(short.first().map(|step| step.line.clone()), scan, "{what}");
                    }
                }
            }
        }
    }
}
