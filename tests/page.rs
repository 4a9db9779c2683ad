//! The page of `harden report` in a real browser: Debian's `chromium`, named by HARDEN_CHROMIUM or found in the PATH. Where
//! there is none the tests are skipped, and say so. `UPDATE=1` writes the pictures in docs/pictures.

#[path = "page/chromium.rs"]
mod chromium;
#[path = "evidence/made.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod made;
#[path = "report/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chromium::Browser;
use harden::evidence::{Assessment, Point, assess, html};
use harden::report::Report;
use made::{attestation, framework, kept};
use serde_json::{Value, json};

const WIDTHS: [u32; 3] = [390, 820, 1280];

fn browser() -> Option<Browser> {
    let named = std::env::var_os("HARDEN_CHROMIUM").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = || std::env::split_paths(&paths).map(|folder| folder.join("chromium")).find(|file| file.is_file());
    let program = named.or_else(found);
    if program.is_none() {
        // Past the capture of the harness: a skipped test has to be seen.
        let _ =
            writeln!(std::io::stderr(), "skipped: no chromium here (Debian: chromium), and HARDEN_CHROMIUM names none");
    }
    program.map(|program| Browser::start(&program))
}

fn page(folder: &Path, reports: &[Report]) -> (PathBuf, Assessment) {
    let saved: Vec<_> = reports.iter().enumerate().map(|(at, it)| kept(&format!("host-{at}.json"), it)).collect();
    let given = [attestation("PO.2.2", "2029-06-01", "2030-06-01"), attestation("PO.2.3", "2028-06-01", "2029-06-01")];
    let past: Vec<Point> = (1..9)
        .map(|at| Point {
            time: format!("2029-12-0{at}T03:04:05Z"),
            against: 18 - at,
            passed: at,
            ..Point::of(&reports[0])
        })
        .collect();
    let assessment = assess(&framework("ssdf-1.1"), &saved, &given, &past, "2030-01-02".parse().expect("a date"));
    let file = folder.join("report.html");
    std::fs::write(&file, html(&assessment)).expect("written");
    (file, assessment)
}

#[test]
fn the_page_fits_every_width_filters_and_prints() {
    let Some(mut browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (file, assessment) = page(folder.path(), &[sample::ordinary()]);
    for (width, scheme) in WIDTHS.into_iter().flat_map(|width| [(width, "light"), (width, "dark")]) {
        browser.open(&file, width, scheme);
        let wide = browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, 0, "{width}: the page is wider than the window");
        assert_eq!(contrast(&mut browser), json!([]), "{width} {scheme}");
        picture(&mut browser, width, scheme);
    }
    filters(&mut browser, &assessment);
    let shown = browser.run("document.querySelector('.legend').textContent").to_string();
    for (answer, count) in &assessment.answers {
        assert!(shown.contains(&format!("{} {count}", answer.words())), "{shown}");
    }
    let printed = browser.ask("Page.printToPDF", json!({ "printBackground": true }));
    let pdf = printed["data"].as_str().expect("data");
    assert!(pdf.starts_with("JVBERi0") && pdf.len() > 50_000, "a PDF of some pages: {}", pdf.len());
    assert_eq!(browser.run("document.querySelectorAll('details[open]').length"), 0, "folded again after printing");
    assert_eq!(browser.complaints(&file), Vec::<String>::new());
}

/// Texts whose contrast with what lies behind them is less than 4.5 to 1.
fn contrast(browser: &mut Browser) -> Value {
    browser.run(
        "(() => {
          document.querySelectorAll('details').forEach((it) => { it.open = true; });
          const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
          const light = (rgb) => { const [r, g, b] = rgb.slice(0, 3).map((c) => { c /= 255;
            return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const behind = (node) => { for (; node; node = node.parentElement) {
            const rgb = parse(getComputedStyle(node).backgroundColor); if (rgb.length === 3 || rgb[3] === 1) return rgb; }
            return [255, 255, 255]; };
          const low = new Set();
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let text; (text = walk.nextNode());) {
            const node = text.parentElement;
            if (!text.data.trim() || !node.getClientRects().length || node.closest('script, button, input')) continue;
            const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5) low.add(`${node.tagName}.${node.className} ${ratio.toFixed(2)}`);
          }
          document.querySelectorAll('details').forEach((it) => { it.open = false; });
          return Array.from(low);
        })()",
    )
}

fn picture(browser: &mut Browser, width: u32, scheme: &str) {
    let shot = browser.ask("Page.captureScreenshot", json!({ "format": "png" }));
    let data = shot["data"].as_str().expect("data");
    assert!(data.len() > 10_000, "{width} {scheme}: an empty picture");
    if std::env::var_os("UPDATE").is_some() && ((width == 390) == (scheme == "dark")) && width != 820 {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join(format!("report-{width}-{scheme}.png")), unpacked(data)).expect("written");
    }
}

/// The bytes of base64.
fn unpacked(text: &str) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |byte: u8| letters.iter().position(|letter| *letter == byte);
    let mut out = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let bits = four.iter().fold(0_usize, |bits, byte| bits << 6 | value(*byte).unwrap_or(0));
        let bytes = u32::try_from(bits).expect("24 bits").to_be_bytes();
        out.extend(&bytes[1..4 - four.iter().filter(|byte| **byte == b'=').count()]);
    }
    out
}

fn visible(browser: &mut Browser, what: &str) -> u64 {
    browser
        .run(&format!("document.querySelectorAll('details.{what}:not([hidden])').length"))
        .as_u64()
        .expect("a number")
}

fn filters(browser: &mut Browser, assessment: &Assessment) {
    let all = (assessment.tasks.len() as u64, assessment.findings.len() as u64);
    assert_eq!((visible(browser, "task"), visible(browser, "finding")), all);
    browser.click("input[value=not-assessed]");
    let rest = assessment.tasks.iter().filter(|it| it.answer.name() != "not-assessed").count() as u64;
    assert_eq!(visible(browser, "task"), rest);
    browser.click("input[value=critical]");
    let rest = assessment.findings.iter().filter(|it| it.finding.severity.name() != "critical").count() as u64;
    assert_eq!(visible(browser, "finding"), rest);
    browser.click("button[type=reset]");
    browser.click("#words");
    browser.ask("Input.insertText", json!({ "text": "tracker" }));
    let some = visible(browser, "finding");
    assert!(0 < some && some < all.1, "{some} findings have the word");
    browser.click("button[type=reset]");
    browser.run("new Promise((done) => setTimeout(done))");
    assert_eq!((visible(browser, "task"), visible(browser, "finding")), all);
    browser.click("#open");
    assert_eq!(browser.run("document.querySelectorAll('details.finding[open]').length"), all.1);
    browser.click("#open");
    assert_eq!(browser.run("document.querySelectorAll('details.finding[open]').length"), 0);
}

#[test]
fn a_keyboard_reaches_and_unfolds_everything() {
    let Some(mut browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (file, _) = page(folder.path(), &[sample::ordinary()]);
    browser.open(&file, 1280, "light");
    let count = browser.run(
        "(() => { const all = Array.from(document.querySelectorAll('a, button, input, summary, [tabindex]')) \
         .filter((it) => it.checkVisibility()); all.forEach((it, at) => { it.dataset.at = at; }); return all.length; })()",
    );
    let count = count.as_u64().expect("a number");
    let mut reached = BTreeSet::new();
    for _ in 0..count + 5 {
        browser.press("Tab", 9);
        reached.insert(browser.run("document.activeElement.dataset.at ?? ''").as_str().unwrap_or_default().to_owned());
        let outlined = browser.run(
            "document.activeElement === document.body ? 'left' : getComputedStyle(document.activeElement).outlineStyle",
        );
        assert_ne!(outlined, "none", "where the focus is can be seen");
    }
    let missed: Vec<u64> = (0..count).filter(|at| !reached.contains(&at.to_string())).collect();
    assert!(missed.is_empty(), "of {count}, {missed:?} cannot be reached");
    browser.run("document.querySelector('details.finding summary').focus()");
    browser.press("Enter", 13);
    assert_eq!(browser.run("document.querySelector('details.finding').open"), true);
    browser.run("document.querySelectorAll('details.task').forEach((it) => { it.open = true; })");
    browser.click("details.task a[href='#f2']");
    browser.run("new Promise((done) => setTimeout(done, 50))");
    assert_eq!(browser.run("document.getElementById('f2').open"), true, "a link unfolds its finding");
    assert_eq!(browser.complaints(&file), Vec::<String>::new());
}

#[test]
fn hostile_names_do_nothing_in_a_browser() {
    let Some(mut browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (file, assessment) = page(folder.path(), &[sample::hostile(), sample::ordinary()]);
    for width in WIDTHS {
        browser.open(&file, width, "light");
        browser.click("#open");
        let wide = browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, 0, "{width}: a name makes the page wider than the window");
        let strange =
            "document.querySelectorAll('img, iframe, object, embed, link, base, a:not([href^=\"#\"])').length";
        assert_eq!(browser.run(strange), 0);
        assert_eq!(browser.run("document.scripts.length"), 1);
        assert_eq!(browser.run("document.querySelectorAll('details.finding').length"), assessment.findings.len());
        assert_eq!(browser.complaints(&file), Vec::<String>::new());
    }
    // The policy holds: what a name would smuggle in does not run.
    let smuggled = "(() => { const it = document.createElement('script'); it.textContent = 'window.ran = 1'; \
                    document.body.append(it); return window.ran ?? 0; })()";
    assert_eq!(browser.run(smuggled), 0);
}
