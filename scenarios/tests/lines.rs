//! JSON lines, which other programs read: what a status looks like, and that all of it is read back.
#![forbid(unsafe_code)]

use pidlab_scenario::{
    ChildStatus, Handled, HandledLine, Line, NamespaceId, Observation, ProcessView, Role, Scenario, Signal, State,
    StatusLine,
};

#[test]
fn every_status_is_written_and_read_back() {
    let statuses = [
        (ChildStatus::Exited(3), r#"{"exited":3}"#),
        (ChildStatus::Killed(Signal::KILL), r#"{"killed":"SIGKILL"}"#),
        (ChildStatus::Stopped(Some(Signal::TSTP)), r#"{"stopped":"SIGTSTP"}"#),
        (ChildStatus::Stopped(None), r#"{"stopped":0}"#),
        (ChildStatus::Continued, r#"{"continued":true}"#),
    ];
    for (status, text) in statuses {
        let line = StatusLine::from(status);
        assert_eq!(serde_json::to_string(&line).expect("it is JSON"), text);
        assert_eq!(serde_json::from_str::<StatusLine>(text).expect("it is a status"), line);
        let handled = Handled { signal: Signal::CHLD, si_pid: 2, child: Some(status) };
        let text = format!(r#"{{"signal":"SIGCHLD","si_pid":2,"status":{text}}}"#);
        assert_eq!(serde_json::to_string(&HandledLine::from(&handled)).expect("it is JSON"), text);
    }
}

#[test]
fn every_number_has_its_namespace() {
    let scenario = Scenario::builder("A claim").step("host", pidlab_scenario::CallName::Getpid).build();
    let scenario = scenario.unwrap_or_else(|wrong| panic!("{wrong}"));
    let host = ProcessView {
        role: Role::HOST,
        thread_of: None,
        state: State::Running,
        pids: vec![5, 1],
        namespaces: vec![NamespaceId(0), NamespaceId(2)],
        parent: None,
        ppid: 0,
        pgid: 1,
        sid: 1,
        tracer: None,
        handled: Vec::new(),
    };
    let line = Line::new(&scenario, 0, &Observation { outcome: None, returned: Vec::new(), processes: vec![host] });
    let text = serde_json::to_string(&line).expect("it is JSON");
    let process =
        r#"{"name":"host","state":"running","pids":[5,1],"namespaces":[0,2],"parent":null,"ppid":0,"pgid":1,"sid":1}"#;
    assert_eq!(text, format!(r#"{{"step":0,"processes":[{process}]}}"#));
    assert_eq!(serde_json::from_str::<Line>(&text).expect("it is a line"), line);
}
