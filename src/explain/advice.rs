//! Turns the advice about a reason into the steps of an entry.

use super::query::QueryContext;
use super::sources::CitedSources;
use crate::catalog::classify::Reason;
use crate::catalog::{Advice, advice_for, advice_on, value_name};
use crate::report::explain::{AdviceStep, Fix};
use crate::smtp::event::{Direction, Mta};
use crate::smtp::reply::Class;

/// The directions to advise on: the known one, else outbound and inbound.
pub(crate) fn sides(context: &QueryContext) -> Vec<Direction> {
    context.direction.map_or_else(|| vec![Direction::Outbound, Direction::Inbound], |one| vec![one])
}

/// The whole advice on a reason: one `Fix` for each direction that has any.
pub(crate) fn fixes(reason: Reason, class: Option<Class>, context: &QueryContext) -> Vec<Fix> {
    sides(context)
        .into_iter()
        .map(|direction| Fix { direction, steps: full_steps(reason, direction, class, context.mta) })
        .filter(|fix| !fix.steps.is_empty())
        .collect()
}

/// The whole advice in one direction: a step for every mail server, then one for Postfix and one for Exim, without those
/// that are empty. If the server is known, one step joins both.
fn full_steps(
    reason: Reason,
    direction: Direction,
    class: Option<Class>,
    mta: Option<Mta>,
) -> Vec<AdviceStep> {
    let Some(row) = advice_for(reason, direction, class) else { return Vec::new() };
    if let Some(mta) = mta {
        return vec![step(None, row.for_mta(mta))];
    }
    let same = common_line(row.own.iter().map(|(_, advice)| advice.line.as_str()));
    let common = same.filter(|line| !line.is_empty()).unwrap_or(&row.all.line).to_owned();
    let own = |(mta, advice): (Mta, &Advice)| {
        let line = if same.is_some() { String::new() } else { advice.line.clone() };
        step(Some(mta), Advice { line, ..advice.clone() })
    };
    let all = step(None, Advice { line: common, ..row.all.clone() });
    std::iter::once(all).chain(row.own.iter().map(own)).filter(is_not_empty).collect()
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
    let Some(row) = advice_for(reason, direction, class) else { return Vec::new() };
    let label = value_name(reason);
    let short = |mta, line: String| AdviceStep { label: label.clone(), mta, line, ..AdviceStep::default() };
    if let Some(mta) = mta {
        return vec![short(None, row.for_mta(mta).line)];
    }
    let lines: Vec<(Mta, String)> = row.own.iter().map(|(mta, _)| (mta, row.for_mta(mta).line)).collect();
    match common_line(lines.iter().map(|(_, line)| line.as_str())) {
        Some(line) => vec![short(None, line.to_owned())],
        None => lines.into_iter().map(|(mta, line)| short(Some(mta), line)).collect(),
    }
}

/// Adds the documents behind the advice on a reason.
pub(crate) fn advice_sources(reason: Reason, context: &QueryContext, sources: &mut CitedSources) {
    let sides = sides(context);
    let rows = advice_on(reason).filter(|row| row.direction.iter().any(|side| sides.contains(side)));
    for row in rows {
        sources.add_all(&row.all.sources);
        let own = row.own.iter().filter(|(mta, _)| context.mta.is_none_or(|wanted| wanted == *mta));
        sources.add_all(own.flat_map(|(_, advice)| &advice.sources));
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::catalog::advice_line;

    /// `scan` prints [`advice_line`].
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
                        let scan = advice_line(reason, direction, class, Some(mta));
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
