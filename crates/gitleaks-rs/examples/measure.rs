use std::time::Instant;
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(2).unwrap()).unwrap();
    let v: toml::Table = text.parse().unwrap();
    let t = Instant::now();
    let mut lits = Vec::new();
    let mut none = 0;
    let mut owner = Vec::new();
    for r in v["rules"].as_array().unwrap() {
        let Some(p) = r.get("regex") else { continue };
        let hir = match regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(p.as_str().unwrap()) { Ok(h) => h, Err(e) => { println!("{:?} {e}", r["id"]); continue } };
        match gitleaks_rs::anchor::find(&hir) {
            Some(a) => {
                if std::env::args().nth(3).is_some() { println!("{:?} {:?} before {:?} behind {:?} tail {}", r["id"], a.literals.iter().map(|l| String::from_utf8_lossy(&l.bytes).to_string()).collect::<Vec<_>>(), a.before, a.behind, a.tail.is_some()); }
                for l in a.literals { if !lits.contains(&l) { lits.push(l); owner.push(r["id"].as_str().unwrap().to_owned()); } } }
            None => { none += 1; println!("no anchor {:?}", r["id"]) }
        }
    }
    println!("anchors {} none {none} {:?}", lits.len(), t.elapsed());
    let t = Instant::now();
    let f = gitleaks_rs::filter::Filter::new(&lits);
    println!("filter {:?}", t.elapsed());
    let mut buf = Vec::new();
    for e in walkdir(std::path::Path::new(&std::env::args().nth(1).unwrap())) { buf.extend(std::fs::read(e).unwrap()); if buf.len() > 300_000_000 { break } }
    for _ in 0..3 {
        let t = Instant::now();
        let mut counts = vec![0usize; lits.len()];
        f.find(&buf, |_, i| counts[i] += 1);
        let e = t.elapsed().as_secs_f64();
        println!("{} MB {:.3} s {:.0} MB/s, {} hits {:.0}/MB", buf.len() / 1_000_000, e, buf.len() as f64 / e / 1e6, counts.iter().sum::<usize>(), counts.iter().sum::<usize>() as f64 / buf.len() as f64 * 1e6);
        let mut c: Vec<_> = counts.iter().enumerate().collect();
        c.sort_by_key(|c| std::cmp::Reverse(*c.1));
        for (i, n) in c.iter().take(25) { print!("{}={} ", String::from_utf8_lossy(&lits[*i].bytes), n) }
        println!();
        println!("passed {}", f.passed(&buf));
    }
}
fn walkdir(p: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new(); let mut w = vec![p.to_owned()];
    while let Some(d) = w.pop() { for e in std::fs::read_dir(d).unwrap() { let e = e.unwrap(); if e.file_type().unwrap().is_dir() { w.push(e.path()) } else { out.push(e.path()) } } }
    out
}
