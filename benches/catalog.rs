//! What start-up costs: shapes of the facts, all checks compiled, a policy merged.

use criterion::{Criterion, criterion_group, criterion_main};
use harden::catalog::{self, Request, Types};

fn start(c: &mut Criterion) {
    c.bench_function("fact shapes", |b| b.iter(Types::default));
    let types = Types::default();
    c.bench_function("all checks compiled", |b| b.iter(|| catalog::checks(&types).expect("they compile")));
    let checks = catalog::checks(&types).expect("they compile");
    let today = catalog::today();
    c.bench_function("baseline merged", |b| {
        b.iter(|| catalog::policy(&checks, &Request::default(), today).expect("it merges"))
    });
    c.bench_function("agents read", |b| b.iter(|| catalog::agents().expect("they parse")));
}

criterion_group!(benches, start);
criterion_main!(benches);
