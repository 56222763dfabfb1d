use pidlab_explore::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let mut b = Bounds::default();
    b.steps = a[2].parse().unwrap();
    b.processes = a[3].parse().unwrap();
    b.namespaces = a[4].parse().unwrap();
    let mut plan = Plan::new(Alphabet::from_words(&a[1]).unwrap(), b);
    plan.jobs = 1;
    if a.len() > 5 {
        for m in pidlab_sim::Misconception::ALL {
            let t = std::time::Instant::now();
            let r = tell_apart(&plan, &Other::misconceived(&plan, *m), |_, _| {});
            println!(
                "{m:?} searched {} pairs {} moves {} given up {} {:?}\n{}",
                r.searched,
                r.pairs,
                r.moves,
                r.given_up,
                t.elapsed(),
                r.scenario.map_or("none".into(), |s| s.to_toml())
            );
        }
        return;
    }
    let t = std::time::Instant::now();
    let s = Space::explore(&plan, |_, _| true).unwrap();
    println!(
        "states {} transitions {} closed {} depths {:?} hash {} open {:?} {:?}",
        s.graph().node_count(),
        s.graph().edge_count(),
        s.is_closed(),
        s.depths(),
        s.hash(),
        s.open(),
        t.elapsed()
    );
    println!("refused {:?}", s.refused());
    let t = std::time::Instant::now();
    let mut c = Cover::of(&s);
    let l = Laying::default();
    let (mut n, mut steps, mut new) = (0, 0, 0);
    while let Some((w, m)) = c.walk(&l) {
        n += 1;
        steps += w.len();
        new += m.len();
    }
    println!("walks {n} steps {steps} new {new} {:?}", t.elapsed());
}
