//! Compiles the door's interface without an installed `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    // Only the feature `door` needs it.
    if std::env::var_os("CARGO_FEATURE_DOOR").is_some() {
        let descriptors = protox::compile(["masa/sim/v1/simulator.proto"], ["proto"])?;
        tonic_prost_build::configure().compile_fds(descriptors)?;
    }
    Ok(())
}
