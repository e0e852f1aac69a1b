"""Puts the simulator's interface beside the package, so that a built package has it."""

import pathlib
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).parent
PROTO = "masa/sim/v1/simulator.proto"


class BuildWithInterface(build_py):
    def run(self):
        super().run()
        source = HERE.parent / "proto" / PROTO
        if source.exists():
            target = pathlib.Path(self.build_lib) / "masa_sim" / "proto" / PROTO
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildWithInterface})
