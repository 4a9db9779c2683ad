//! Two pictures: the answers by group of controls, and how past audits went. Both say in words what they show.
//!
//! Widths and places are attributes: the page's policy takes no style from an element.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::{Answer, Assessment, Point};
use super::escape::esc;

/// The length of a full bar.
const BAR: usize = 600;
/// So many audits are drawn of a project.
const MOST_POINTS: usize = 400;

/// A bar for each group, as long as its controls are many.
pub(super) fn coverage(out: &mut String, assessment: &Assessment) {
    out.push_str("<section aria-labelledby=\"coverage\"><h2 id=\"coverage\">Coverage</h2>\n<ul class=\"legend\">");
    for answer in Answer::ALL {
        let count = assessment.answers.get(&answer).copied().unwrap_or(0);
        let _ = write!(
            out,
            "<li><svg class=\"swatch\" viewBox=\"0 0 10 10\" aria-hidden=\"true\">{}</svg> {} <strong>{count}</strong></li>",
            block(answer, 0, 10, 10),
            answer.words()
        );
    }
    out.push_str("</ul>\n<div class=\"bars\">\n");
    for group in &assessment.coverage {
        let total: usize = group.answers.values().sum();
        let name =
            if group.group.is_empty() { "all controls".to_owned() } else { format!("{} {}", group.group, group.name) };
        let _ = write!(
            out,
            "<div class=\"bar\"><span>{}</span><svg viewBox=\"0 0 {BAR} 14\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
            esc(&name),
            esc(&format!("{name}: {}", said(&group.answers))),
        );
        let mut before = 0;
        for answer in Answer::ALL {
            let count = group.answers.get(&answer).copied().unwrap_or(0);
            if count > 0 {
                let (from, to) = (before * BAR / total, (before + count) * BAR / total);
                out.push_str(&block(answer, from, to - from, 14));
                before += count;
            }
        }
        let _ = writeln!(out, "</svg><span class=\"quiet\">{total}</span></div>");
    }
    out.push_str("</div></section>\n");
}

fn block(answer: Answer, x: usize, width: usize, height: usize) -> String {
    format!("<rect class=\"{}\" x=\"{x}\" y=\"0\" width=\"{width}\" height=\"{height}\"/>", answer.name())
}

fn said(answers: &BTreeMap<Answer, usize>) -> String {
    let some: Vec<String> = answers.iter().map(|(answer, count)| format!("{count} {}", answer.words())).collect();
    some.join(", ")
}

/// Open defects of each project over its audits; nothing where there is no past.
pub(super) fn trend(out: &mut String, trend: &[Point]) {
    // Audits that looked at something else are no part of the same line.
    let key = |point: &Point| (point.project.clone(), point.profile.clone(), point.scope.clone());
    let lines: BTreeSet<_> = trend.iter().map(key).collect();
    let mut drawn = String::new();
    for line in lines {
        let points: Vec<&Point> = trend.iter().filter(|point| key(point) == line).collect();
        if points.len() > 1 {
            draw(&mut drawn, &points[points.len().saturating_sub(MOST_POINTS)..]);
        }
    }
    if !drawn.is_empty() {
        let _ =
            write!(out, "<section aria-labelledby=\"trend\"><h2 id=\"trend\">Past audits</h2>\n{drawn}</section>\n");
    }
}

fn draw(out: &mut String, points: &[&Point]) {
    let (first, last) = (points[0], points[points.len() - 1]);
    let most = points.iter().map(|it| it.against + it.accepted + it.unknown).max().unwrap_or(0).max(1);
    let place = |at: usize, value: usize| format!("{},{}", 10 + at * 580 / (points.len() - 1), 90 - value * 80 / most);
    let _ = write!(
        out,
        "<figure><figcaption>{} <span class=\"quiet\">profile {}, scope {}, {} audits</span></figcaption>\n\
         <svg class=\"trend\" viewBox=\"0 0 600 100\" role=\"img\" aria-label=\"{}\"><path class=\"axis\" d=\"M10,10 V90 H590\"/>",
        esc(&first.project),
        esc(&first.profile),
        esc(&first.scope),
        points.len(),
        esc(&format!(
            "open defects went from {} on {} to {} on {}",
            first.against, first.time, last.against, last.time
        )),
    );
    for (at, class) in ["not-assessed", "partly", "evidence-against"].into_iter().enumerate() {
        let value = |it: &Point| [it.unknown, it.accepted, it.against][at];
        let line: Vec<String> = points.iter().enumerate().map(|(at, it)| place(at, value(it))).collect();
        let _ = write!(out, "<polyline class=\"line {class}\" points=\"{}\"/>", line.join(" "));
    }
    let _ = write!(
        out,
        "</svg>\n<p class=\"quiet\">{} to {}: open defects {} → {}, waived {} → {}, could not be told {} → {}</p></figure>\n",
        esc(&first.time),
        esc(&last.time),
        first.against,
        last.against,
        first.accepted,
        last.accepted,
        first.unknown,
        last.unknown,
    );
}
