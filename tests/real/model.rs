//! A model on loopback that says what a script tells it: an OpenAI-compatible server, one tool call, then an answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// Serves until the process ends. Returns the port.
pub(crate) fn serve(command: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback is up");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, command));
        }
    });
    port
}

fn answer(stream: TcpStream, command: &str) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut out = String::from("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n");
    for event in events(&request, command) {
        out += &format!("data: {event}\n\n");
    }
    out += "data: [DONE]\n\n";
    let mut stream = stream;
    // A client that went away has what it wanted.
    let _ = stream.write_all(out.as_bytes());
}

/// The tool call first, where tools are offered and none has answered yet; else the last word.
fn events(request: &Value, command: &str) -> Vec<Value> {
    let answered = request["messages"].as_array().into_iter().flatten().any(|message| message["role"] == "tool");
    let chunk = |delta: Value, finish: Value| {
        json!({
            "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
            "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
        })
    };
    if request["tools"].is_array() && !answered {
        let arguments = json!({ "command": command, "description": "as told" }).to_string();
        let call = json!([{ "index": 0, "id": "t1", "type": "function", "function": { "name": "bash", "arguments": arguments } }]);
        return vec![
            chunk(json!({ "role": "assistant", "tool_calls": call }), Value::Null),
            chunk(json!({}), json!("tool_calls")),
        ];
    }
    vec![chunk(json!({ "role": "assistant", "content": "done" }), Value::Null), chunk(json!({}), json!("stop"))]
}
