//! Compiles the door's interface without an installed `protoc`; without the feature `door` there is nothing to do.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    #[cfg(feature = "door")]
    {
        let descriptors = protox::compile(["masa/sim/v1/simulator.proto"], ["proto"])?;
        tonic_prost_build::configure().compile_fds(descriptors)?;
    }
    Ok(())
}
