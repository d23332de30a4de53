//! Crashes, and leaves a minidump of it: `crasher segfault|abort MINIDUMP`.
//!
//! As crash reporters on Linux do it: the program that crashes tells another process, which looks into it and writes the
//! minidump while the signal handler waits.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};

use crash_handler::{CrashContext, CrashEventResult, CrashHandler};
use minidump_writer::CrashContextExt;
use minidump_writer::minidump_writer::MinidumpWriterConfig;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["crash", how] => crash(how),
        [how, minidump] => watch(how, minidump),
        _ => Err("usage: crasher segfault|abort MINIDUMP".into()),
    }
}

/// Starts the program that crashes and writes down what happened to it.
fn watch(how: &str, minidump: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["crash", how])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let context = told_by(&mut child)?;
    let mut writer = MinidumpWriterConfig::new(context.pid, context.tid);
    writer.set_crash_context(CrashContextExt { inner: context });
    writer.write(&mut File::create(minidump)?)?;
    child.stdin.take().ok_or("no stdin")?.write_all(b"!")?;
    let status = child.wait()?;
    println!("{status}");
    if status.success() {
        Err("it did not crash".into())
    } else {
        Ok(())
    }
}

fn told_by(child: &mut Child) -> Result<CrashContext, Box<dyn std::error::Error>> {
    let mut bytes = vec![0; size_of::<CrashContext>()];
    child
        .stdout
        .as_mut()
        .ok_or("no stdout")?
        .read_exact(&mut bytes)?;
    Ok(CrashContext::from_bytes(&bytes).ok_or("this is no crash context")?)
}

fn crash(how: &str) -> Result<(), Box<dyn std::error::Error>> {
    // SAFETY: only writes to one pipe and reads from another, which is allowed in a signal handler.
    let event = unsafe {
        crash_handler::make_crash_event(|context| {
            let told = io::stdout()
                .write_all(context.as_bytes())
                .and_then(|()| io::stdout().flush());
            let mut answer = [0];
            let _ = told.and_then(|()| io::stdin().read_exact(&mut answer));
            // Not handled: the process dies by its signal.
            CrashEventResult::Handled(false)
        })
    };
    let _handler = CrashHandler::attach(event)?;
    match how {
        "abort" => std::process::abort(),
        // SAFETY: none; that is the point.
        "segfault" => unsafe {
            std::hint::black_box(std::ptr::dangling_mut::<u32>()).write_volatile(1)
        },
        _ => return Err("how?".into()),
    }
    Ok(())
}
