use pidlab_realkernel::{Lab, LabOptions, Sharing};
use pidlab_scenario::{Line, Machine, Scenario, library};
#[test]
fn all() {
    let mut lab = Lab::open(LabOptions::default()).unwrap();
    println!("{:?}", lab.kernel());
    for file in library::files() {
        let s = Scenario::parse(&file.name, &file.path, file.text).unwrap();
        match lab.run(&s) {
            Ok(run) => {
                println!("{} {:?}", s.name, run.refused);
                for (i, o) in run.observations.iter().enumerate() {
                    let l = Line::new(&s, i, o);
                    if s.name.contains("adopted-by-own") {
                        println!("  {}", serde_json::to_string(&l).unwrap());
                    }
                    if i > 0 {
                        if let Some(e) = s.steps[i - 1].expect {
                            println!("   {:?} -> {:?}", e, o.outcome);
                        }
                    }
                }
            }
            Err(e) => println!("{} ERR {e}", s.name),
        }
    }
}
