//! Checks of every kernel, and of kernels written at run time, without a device: valid WGSL, translation to each back
//! end's language in both widths, true declarations of bindings and parameters, and the four files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use naga::back::{glsl, hlsl, msl, pipeline_constants, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, ArraySize, Module, ShaderStage, StorageAccess, StructMember, TypeInner};
use opnorm::device::Profile;
use opnorm::low_level::ops::{self, Argument, Binary, Fused, Line, Reach, Unary};
use opnorm::low_level::{Access, Field, Generated, Kernel, Scalar};

const WIDTHS: [u32; 2] = [Profile::SOFTWARE.lanes, Profile::HARDWARE.lanes];

/// Kernels of programs: each function alone, all in one kernel, and inputs of every reach.
fn written() -> Vec<Generated> {
    let unary = |function: &'static Unary, of| Line::Unary(function, 2.5, of);
    let mut chains: Vec<Vec<Line>> = Vec::new();
    chains.extend(Unary::ALL.map(|function| vec![unary(function, Argument::Input(0))]));
    chains
        .extend(Binary::ALL.map(|function| vec![Line::Binary(function, [Argument::Input(0), Argument::Number(-1.0)])]));
    let mut all: Vec<Line> =
        Unary::ALL.iter().zip(0..).map(|(function, of)| unary(function, Argument::Input(of % 6))).collect();
    for function in Binary::ALL {
        let last = all.len() - 1;
        all.push(Line::Binary(function, [Argument::Line(last), Argument::Line(last - 5)]));
    }
    chains.push(all);
    // 60 elements: of their own, one number, a row, a column, and rows of which each is repeated.
    let reach = |inner, size| Reach { inner, size };
    let reaches = [reach(1, 60), reach(1, 1), reach(60, 1), reach(1, 12), reach(5, 12), reach(3, 4)];
    let fused = chains.iter().map(|lines| Fused::new(60, &reaches, lines, &[lines.len() - 1, 0]).unwrap());
    fused.map(|fused| fused.kernel().clone()).collect()
}

fn everything() -> Vec<Generated> {
    ops::kernels().into_iter().map(Generated::from).chain(written()).collect()
}

/// The valid module of a kernel, with its overrides unchanged.
fn parsed(kernel: &Generated) -> (Module, ModuleInfo) {
    let text = &kernel.text;
    let module = naga::front::wgsl::parse_str(text)
        .unwrap_or_else(|error| panic!("{}: {}", kernel.name, error.emit_to_string(text)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::IMMEDIATES)
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {}", kernel.name, error.emit_to_string(text)));
    (module, info)
}

/// Calls `check` with every kernel in both widths.
fn each_resolved(mut check: impl FnMut(&str, &Module, &ModuleInfo)) {
    for kernel in everything() {
        let (module, info) = parsed(&kernel);
        for lanes in WIDTHS {
            let constants = [("LANES".to_string(), f64::from(lanes))].into_iter().collect();
            let entry = Some((ShaderStage::Compute, "main"));
            let (module, info) =
                pipeline_constants::process_overrides(&module, &info, entry, &constants).expect(kernel.name);
            assert_eq!(module.entry_points[0].workgroup_size, [lanes, 1, 1], "{}", kernel.name);
            check(kernel.name, &module, &info);
        }
    }
}

#[test]
fn kernels_are_named_once() {
    let kernels = ops::kernels();
    let names: BTreeSet<_> = kernels.iter().map(|kernel| kernel.name).collect();
    assert_eq!(names.len(), kernels.len());
}

#[test]
fn bindings_are_what_the_kernel_says() {
    for kernel in everything() {
        let (module, _) = parsed(&kernel);
        let mut found: Vec<(u32, Access)> = Vec::new();
        for (_, variable) in module.global_variables.iter() {
            let Some(place) = &variable.binding else { continue };
            assert_eq!(place.group, 0, "{}", kernel.name);
            let access = match variable.space {
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => Access::Write,
                AddressSpace::Storage { .. } => Access::Read,
                AddressSpace::Uniform => Access::Uniform,
                AddressSpace::Handle => Access::Texels,
                space => panic!("{}: binding {} in {space:?}", kernel.name, place.binding),
            };
            found.push((place.binding, access));
        }
        found.sort_by_key(|(binding, _)| *binding);
        let said: Vec<(u32, Access)> = (0..).zip(kernel.access.iter().copied()).collect();
        assert_eq!(found, said, "{}", kernel.name);
        // The bindings of the smallest adapter (SwiftShader: 10), less the binding that Metal keeps for sizes.
        assert!(found.len() <= 8, "{}: {} storage buffers", kernel.name, found.len());
    }
}

/// The fields of `var<immediate> params`, as a module declares them.
fn declared_fields(module: &Module) -> Vec<Field> {
    let immediates: Vec<_> =
        module.global_variables.iter().filter(|(_, variable)| variable.space == AddressSpace::Immediate).collect();
    let [(_, params)] = immediates[..] else { panic!("{} sets of parameters", immediates.len()) };
    let TypeInner::Struct { members, .. } = &module.types[params.ty].inner else {
        panic!("parameters are no structure")
    };
    members.iter().map(|member| declared_field(module, member)).collect()
}

/// A member of the parameters: a number, a vector, or an array without gaps.
fn declared_field(module: &Module, member: &StructMember) -> Field {
    let (inner, count) = match module.types[member.ty].inner {
        TypeInner::Array { base, size: ArraySize::Constant(count), stride: 4 } => {
            (&module.types[base].inner, count.get())
        }
        TypeInner::Vector { size, .. } => (&module.types[member.ty].inner, size as u32),
        _ => (&module.types[member.ty].inner, 1),
    };
    let (TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. }) = inner else { panic!("{member:?}") };
    let scalar = match *scalar {
        naga::Scalar::U32 => Scalar::U32,
        naga::Scalar::I32 => Scalar::I32,
        naga::Scalar::F32 => Scalar::F32,
        other => panic!("{member:?}: {other:?}"),
    };
    let name = member.name.clone().unwrap();
    Field { name: name.into(), scalar, count, offset: member.offset }
}

#[test]
fn parameters_are_declared_alike_in_rust_and_wgsl() {
    for kernel in everything() {
        let (module, _) = parsed(&kernel);
        assert_eq!(declared_fields(&module), kernel.params, "{}", kernel.name);
        assert!(Field::bytes(&kernel.params) <= 64, "{}: more than every adapter has", kernel.name);
    }
}

#[test]
fn parameters_in_another_order_are_found() {
    let mut kernel = Generated::from(ops::kernels().into_iter().find(|kernel| kernel.name == "dot").unwrap());
    let (straight, swapped) = ("    segments: u32,\n    segment: u32,\n", "    segment: u32,\n    segments: u32,\n");
    assert_eq!(kernel.text.matches(straight).count(), 1);
    kernel.text = kernel.text.replace(straight, swapped);
    let (module, _) = parsed(&kernel);
    let declared = declared_fields(&module);
    assert_eq!(Field::bytes(&declared), Field::bytes(&kernel.params));
    assert_ne!(declared, kernel.params);
}

#[test]
fn kernels_translate_to_spirv() {
    let entry = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".to_string() };
    each_resolved(|name, module, info| {
        let words = spv::write_vec(module, info, &spv::Options::default(), Some(&entry)).expect(name);
        assert_eq!(words[0], 0x0723_0203, "{name}");
    });
}

#[test]
fn kernels_translate_to_metal() {
    let resources = msl::EntryPointResources {
        immediates_buffer: Some(10),
        sizes_buffer: Some(11),
        ..msl::EntryPointResources::default()
    };
    let options = msl::Options {
        lang_version: (2, 0),
        per_entry_point_map: [("main".to_string(), resources)].into_iter().collect(),
        zero_initialize_workgroup_memory: false,
        ..msl::Options::default()
    };
    each_resolved(|name, module, info| {
        let (text, translated) =
            msl::write_string(module, info, &options, &msl::PipelineOptions::default()).expect(name);
        translated.entry_point_names[0].as_ref().expect(name);
        assert!(text.contains("kernel void"), "{name}");
    });
}

#[test]
fn kernels_translate_to_hlsl() {
    let options = hlsl::Options {
        immediates_target: Some(hlsl::BindTarget::default()),
        special_constants_binding: Some(hlsl::BindTarget { space: 1, ..hlsl::BindTarget::default() }),
        zero_initialize_workgroup_memory: false,
        ..hlsl::Options::default()
    };
    let pipeline = hlsl::PipelineOptions::default();
    each_resolved(|name, module, info| {
        let mut text = String::new();
        let mut writer = hlsl::Writer::new(&mut text, &options, &pipeline);
        let translated = writer.write(module, info, None).expect(name);
        translated.entry_point_names[0].as_ref().expect(name);
        assert!(text.contains("numthreads"), "{name}");
    });
}

#[test]
fn kernels_translate_to_glsl() {
    let pipeline =
        glsl::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".to_string(), multiview: None };
    for version in [glsl::Version::new_gles(310), glsl::Version::Desktop(430)] {
        let options = glsl::Options { version, zero_initialize_workgroup_memory: false, ..glsl::Options::default() };
        each_resolved(|name, module, info| {
            let mut text = String::new();
            let policies = naga::proc::BoundsCheckPolicies::default();
            let mut writer = glsl::Writer::new(&mut text, module, info, &options, &pipeline, policies).expect(name);
            let reflected = writer.write().expect(name);
            assert!(!reflected.immediates_items.is_empty(), "{name}");
            assert!(text.contains("void main()"), "{name}");
        });
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Every shader with the name of its folder.
fn shader_files() -> Vec<(String, PathBuf)> {
    let folders = fs::read_dir(root().join("shaders")).unwrap().map(|folder| folder.unwrap().path());
    let files = folders.flat_map(|folder| {
        let name = folder.file_name().unwrap().to_str().unwrap().to_string();
        fs::read_dir(folder).unwrap().map(move |file| (name.clone(), file.unwrap().path()))
    });
    let files: Vec<_> = files.collect();
    assert!(files.iter().all(|(_, path)| path.extension().is_some_and(|extension| extension == "wgsl")));
    files
}

#[test]
fn every_shader_file_is_part_of_a_kernel() {
    let used: BTreeSet<String> =
        ops::kernels().iter().flat_map(|kernel| kernel.source).map(ToString::to_string).collect();
    for (_, path) in shader_files() {
        assert!(used.contains(&fs::read_to_string(&path).unwrap()), "{} is used by no kernel", path.display());
    }
}

#[test]
fn every_kernel_has_its_files() {
    let kernels = ops::kernels();
    for (folder, path) in shader_files() {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if folder == "lib" {
            continue;
        }
        let own = |kernel: &&&Kernel| kernel.stem == stem && kernel.name.starts_with(stem);
        assert!(kernels.iter().find(own).is_some(), "{stem} is no kernel");
        for folder in ["src/ops", "src/reference"] {
            let file = root().join(folder).join(stem).with_extension("rs");
            assert!(file.is_file(), "{} is missing", file.display());
        }
    }
}

#[test]
fn a_written_kernel_reads_like_one() {
    let lines = [
        Line::Binary(Binary::ADD, [Argument::Input(0), Argument::Input(1)]),
        Line::Unary(Unary::SCALE, 0.5, Argument::Line(0)),
        Line::Binary(Binary::SUBTRACT, [Argument::Number(1.0), Argument::Line(1)]),
    ];
    let kernel = |number: f32, size: usize| {
        let mut lines = lines;
        lines[1] = Line::Unary(Unary::SCALE, number, Argument::Line(0));
        let reaches = [Reach::each(3 * size), Reach { inner: 1, size }];
        Fused::new(3 * size, &reaches, &lines, &[2]).unwrap().kernel().text.clone()
    };
    let text = kernel(0.5, 7);
    assert!(text.contains("let x1 = input_1[index % params.size_1];\n"), "{text}");
    assert!(text.contains("let y1 = apart(unary_scale(y0, params.number_3));\n"), "{text}");
    assert!(text.contains("let y2 = apart(binary_subtract(params.number_4, y1));\n"), "{text}");
    assert!(text.contains("output_0[index] = y2;\n"), "{text}");
    assert_eq!(text, kernel(-3.0, 11), "numbers and sizes are parameters");
}

#[test]
fn lines_that_take_what_is_not_there_are_refused() {
    let line = |argument| [Line::Unary(Unary::EXP, 0.0, argument)];
    let each = [Reach::each(3)];
    assert!(Fused::new(3, &each, &line(Argument::Input(0)), &[0]).is_ok());
    assert!(Fused::new(3, &each, &line(Argument::Input(1)), &[0]).is_err());
    assert!(Fused::new(3, &each, &line(Argument::Line(0)), &[0]).is_err());
    assert!(Fused::new(3, &each, &line(Argument::Input(0)), &[1]).is_err());
    assert!(Fused::new(3, &[Reach { inner: 0, size: 3 }], &line(Argument::Input(0)), &[0]).is_err());
    assert!(Fused::new(3, &[Reach { inner: 1, size: 0 }], &line(Argument::Input(0)), &[0]).is_err());
}
